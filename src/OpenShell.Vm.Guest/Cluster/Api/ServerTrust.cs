using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenShell.Vm.Guest.Cluster.Api;

/// <summary>Which certificates a server may answer with.</summary>
internal sealed class ServerTrust
{
    private readonly Func<X509Certificate2, bool> _accepts;

    private ServerTrust(Func<X509Certificate2, bool> accepts) => _accepts = accepts;

    /// <summary>These and no others, PEM: our own, so they are compared as they are instead of building chains.</summary>
    public static ServerTrust Exactly(params string[] servers)
    {
        var trusted = servers.Select(Thumbprint).ToHashSet();
        return new ServerTrust(certificate => trusted.Contains(certificate.Thumbprint));
    }

    /// <summary>Those that this one accepts, and those that another does. The other is asked only about what this one does not know.</summary>
    public ServerTrust Or(Func<ServerTrust> other) => new(certificate => _accepts(certificate) || other().Accepts(certificate));

    /// <summary>Those that an authority signed, for a server that makes its certificates by itself and anew.</summary>
    /// <param name="authorities">One or several certificates, PEM.</param>
    /// <remarks>Names are not compared: it is always asked by a loopback address of this guest, and the authority signs for nobody else.</remarks>
    public static ServerTrust SignedBy(string authorities)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(authorities);
        return new ServerTrust(certificate =>
        {
            using var chain = new X509Chain();
            chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.AddRange(roots);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            // Servers only: the authority signs clients too.
            chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
            return chain.Build(certificate);
        });
    }

    /// <summary>Whether a server with this certificate is the right one.</summary>
    public bool Accepts(X509Certificate2 certificate) => _accepts(certificate);

    private static string Thumbprint(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return certificate.Thumbprint;
    }
}
