using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Testing;

/// <summary>What a client of the gateway presents, and what it trusts: PEM files, gone with the cluster.</summary>
/// <param name="Authority">The gateway's authority.</param>
/// <param name="Certificate">The client's certificate.</param>
/// <param name="Key">Its key.</param>
public sealed record MtlsFiles(string Authority, string Certificate, string Key)
{
    /// <summary>Of an instance.</summary>
    internal static MtlsFiles Of(HostDirectories directories, string name)
    {
        var folder = new GatewayRegistration(directories, name).MtlsFolder;
        return new MtlsFiles(Path.Combine(folder, "ca.crt"), Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key"));
    }

    /// <summary>A handler that trusts this gateway alone and presents the certificate: for a gRPC channel, or an <see cref="HttpClient"/>. Yours to dispose of.</summary>
    public SocketsHttpHandler CreateHandler() =>
        MutualTls.Handler(X509Certificate2.CreateFromPem(File.ReadAllText(Authority)), X509Certificate2.CreateFromPemFile(Certificate, Key));
}

/// <summary>TLS with one authority and one certificate.</summary>
internal static class MutualTls
{
    internal static SocketsHttpHandler Handler(X509Certificate2 authority, X509Certificate2 client)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(authority);
        return new SocketsHttpHandler
        {
            // Loopback: a proxy of the environment has no business here.
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions { ClientCertificates = [client], CertificateChainPolicy = policy },
        };
    }
}
