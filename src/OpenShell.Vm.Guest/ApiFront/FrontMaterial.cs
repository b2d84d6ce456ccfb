using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.ApiFront;

/// <summary>What the front shows, whom it lets in, and who it is to the API server, as it stood in the files at one moment. Immutable; a change makes another.</summary>
internal sealed class FrontMaterial
{
    // id-kp-serverAuth and id-kp-clientAuth (https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12).
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1", ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private const SslProtocols Protocols = SslProtocols.Tls12 | SslProtocols.Tls13;

    private readonly SslStreamCertificateContext _server, _administrator;
    private readonly X509Certificate2Collection _clientAuthorities, _clusterAuthorities;

    private FrontMaterial(string[] own, string[] cluster)
    {
        // Offline: no downloads of intermediates, no OCSP stapling.
        _server = SslStreamCertificateContext.Create(new KeyPair(own[0], own[1]).Open(), null, offline: true);
        _clientAuthorities = Authorities(own[2]);
        _administrator = SslStreamCertificateContext.Create(new KeyPair(cluster[0], cluster[1]).Open(), null, offline: true);
        _clusterAuthorities = Authorities(cluster[2]);
        ClientAuthority = own[2];
        Fingerprint = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', [.. own, .. cluster]))));
    }

    /// <summary>The authority of those who are let in, PEM.</summary>
    public string ClientAuthority { get; }

    /// <summary>Two of the same were read from the same texts.</summary>
    public string Fingerprint { get; }

    /// <summary>Reads the two folders (<see cref="ServingFolder"/>).</summary>
    /// <param name="own">What the front shows, and whom it lets in.</param>
    /// <param name="cluster">Who it is to the API server, and whom it believes to be that.</param>
    /// <exception cref="IOException">A file is missing.</exception>
    /// <exception cref="CryptographicException">A file is not what it should be.</exception>
    public static FrontMaterial Load(string own, string cluster) => new(Texts(own), Texts(cluster));

    /// <summary>How a caller is met. By TLS sessions of before nobody is let in: the next change must hold for all.</summary>
    /// <param name="refused">Told why one was refused.</param>
    public SslServerAuthenticationOptions ForCaller(Action<string> refused) => new()
    {
        ServerCertificateContext = _server,
        // What Kubernetes' API server can: https://kubernetes.io/docs/reference/using-api/
        ApplicationProtocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11],
        EnabledSslProtocols = Protocols,
        ClientCertificateRequired = true,
        CertificateChainPolicy = Policy(_clientAuthorities, ClientAuthentication),
        RemoteCertificateValidationCallback = (_, certificate, chain, errors) => Accept(certificate, chain, errors, refused),
        AllowRenegotiation = false,
        AllowTlsResume = false,
    };

    /// <summary>How the API server is met, as its administrator.</summary>
    /// <param name="protocol">What was agreed on with the caller: the same is spoken on both sides. Empty: nothing was said about it, which means HTTP/1.1.</param>
    public SslClientAuthenticationOptions ForApiServer(SslApplicationProtocol protocol) => new()
    {
        TargetHost = "localhost",
        ClientCertificateContext = _administrator,
        ApplicationProtocols = protocol.Protocol.IsEmpty ? null : [protocol],
        EnabledSslProtocols = Protocols,
        CertificateChainPolicy = Policy(_clusterAuthorities, ServerAuthentication),
        // The name is not compared, as in ServerTrust: it is always asked by a loopback address of this guest, and the authority signs for nobody else.
        RemoteCertificateValidationCallback = (_, _, _, errors) => (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None,
        AllowTlsResume = false,
    };

    private static string[] Texts(string folder) =>
        [.. new[] { ServingFolder.Certificate, ServingFolder.Key, ServingFolder.Authority }.Select(name => File.ReadAllText(Path.Combine(folder, name)))];

    private static X509Certificate2Collection Authorities(string pem)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(pem);
        return authorities.Count > 0 ? authorities : throw new CryptographicException("There is no authority.");
    }

    private static X509ChainPolicy Policy(X509Certificate2Collection authorities, string use)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            ApplicationPolicy = { new Oid(use) },
        };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    // Chain, validity and usages were checked by the policy. A certificate without any extended key usage passes that check; here it must say what it is for.
    private static bool Accept(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, Action<string> refused)
    {
        if (errors == SslPolicyErrors.None && certificate is X509Certificate2 client && IsForClients(client))
            return true;
        var why = errors == SslPolicyErrors.None ? "it is not for client authentication"
            : errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) ? "none was sent"
            : string.Join(", ", chain?.ChainStatus.Select(status => status.Status.ToString()).Distinct() ?? [errors.ToString()]);
        refused($"{certificate?.Subject ?? "no certificate"}: {why}");
        return false;
    }

    private static bool IsForClients(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any(uses => uses.EnhancedKeyUsages.Cast<Oid>().Any(use => use.Value == ClientAuthentication));
}
