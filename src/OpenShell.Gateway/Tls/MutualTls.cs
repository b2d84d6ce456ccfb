using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;

namespace OpenShell.Gateway.Tls;

/// <summary>The conditions on which a client is let in.</summary>
internal sealed partial class MutualTls(TlsReloader files, AdmittedConnections connections, ILogger<MutualTls> log)
{
    // id-kp-clientAuth (https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12).
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>For one connection, by the files as they are now. It is closed when its client would no longer be let in.</summary>
    public SslServerAuthenticationOptions ForConnection(BaseConnectionContext connection)
    {
        var material = files.ForConnection();
        connections.Add(connection, material);
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            ApplicationPolicy = { new Oid(ClientAuthentication) },
        };
        policy.CustomTrustStore.AddRange(material.ClientAuthorities);
        return new SslServerAuthenticationOptions
        {
            ServerCertificateContext = material.Server,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            ClientCertificateRequired = true,
            CertificateChainPolicy = policy,
            RemoteCertificateValidationCallback = Accept,
            AllowRenegotiation = false,
            // A resumed session would carry a client past a change of the client CA.
            AllowTlsResume = false,
        };
    }

    // The chain, validity and usages of it have been checked by the policy above. A certificate without any extended key usage passes
    // that check, since by RFC 5280 it is good for everything; here it must say what it is for.
    private bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None && certificate is X509Certificate2 client && SaysClientAuthentication(client))
            return true;
        Refused(log, certificate?.Subject ?? "no certificate", Reason(chain, errors));
        return false;
    }

    private static bool SaysClientAuthentication(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>()
            .Any(usages => usages.EnhancedKeyUsages.Cast<Oid>().Any(usage => usage.Value == ClientAuthentication));

    private static string Reason(X509Chain? chain, SslPolicyErrors errors) => errors switch
    {
        SslPolicyErrors.None => "it is not for client authentication",
        _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) => "none was sent",
        _ => string.Join(", ", chain?.ChainStatus.Select(status => status.Status.ToString()).Distinct() ?? [errors.ToString()]),
    };

    [LoggerMessage(LogLevel.Information, "A client was refused ({Subject}): {Reason}.")]
    private static partial void Refused(ILogger log, string subject, string reason);
}
