using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenShell.Vm.Pki;

/// <summary>A certificate with its private key (ECDSA P-256), as text.</summary>
/// <param name="CertificatePem">X.509, PEM.</param>
/// <param name="KeyPem">PKCS #8, PEM.</param>
public sealed record KeyPair(string CertificatePem, string KeyPem)
{
    /// <summary>Opens it; the caller disposes.</summary>
    public X509Certificate2 Open() => X509Certificate2.CreateFromPem(CertificatePem, KeyPem);
}

/// <summary>A key that stands alone: the one that signs tokens of service accounts.</summary>
/// <param name="PublicPem">SubjectPublicKeyInfo, PEM.</param>
/// <param name="PrivatePem">PKCS #8, PEM.</param>
internal sealed record SigningKey(string PublicPem, string PrivatePem)
{
    /// <summary>Makes one (ECDSA P-256: tokens are signed with ES256).</summary>
    public static SigningKey Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new SigningKey(key.ExportSubjectPublicKeyInfoPem(), key.ExportPkcs8PrivateKeyPem());
    }
}
