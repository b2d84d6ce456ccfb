using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenShell.Vm.Pki;

/// <summary>Makes certificates after their profiles, with the extensions of RFC 5280 that Go and OpenSSL check.</summary>
internal static class CertificateFactory
{
    // The host's clock and ours, or that of a client elsewhere, may differ.
    private static readonly TimeSpan Backdated = TimeSpan.FromHours(1);

    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1"), ClientAuthentication = new("1.3.6.1.5.5.7.3.2");

    /// <summary>Makes one.</summary>
    /// <param name="profile">What it should be.</param>
    /// <param name="issuer">Who signs it, with its key; <see langword="null"/> for one that signs itself.</param>
    /// <param name="now">The time.</param>
    public static KeyPair Make(CertificateProfile profile, X509Certificate2? issuer, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(SubjectOf(profile), key, HashAlgorithmName.SHA256);
        AddExtensions(request, profile, issuer);
        var (from, until) = (now - Backdated, Earlier(now + profile.Validity, issuer));
        using var certificate = issuer is null ? request.CreateSelfSigned(from, until) : request.Create(issuer, from, until, SerialNumber());
        return new KeyPair(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>The subject that a profile asks for.</summary>
    public static X500DistinguishedName SubjectOf(CertificateProfile profile)
    {
        // The builder puts what is added last in front: the organization, as is usual.
        var subject = new X500DistinguishedNameBuilder();
        subject.AddCommonName(profile.CommonName);
        if (profile.Organization is { } organization)
            subject.AddOrganizationName(organization);
        return subject.Build();
    }

    private static void AddExtensions(CertificateRequest request, CertificateProfile profile, X509Certificate2? issuer)
    {
        var authority = profile.Use.HasFlag(CertificateUse.Authority);
        // A CA here signs end certificates only (path length 0).
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, hasPathLengthConstraint: authority, pathLengthConstraint: 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(
            authority ? X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign | X509KeyUsageFlags.DigitalSignature : X509KeyUsageFlags.DigitalSignature, critical: true));
        var subjectKey = new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false);
        request.CertificateExtensions.Add(subjectKey);
        request.CertificateExtensions.Add(issuer is null
            ? X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier(subjectKey)
            : X509AuthorityKeyIdentifierExtension.CreateFromCertificate(issuer, includeKeyIdentifier: true, includeIssuerAndSerial: false));
        var uses = new OidCollection();
        if (profile.Use.HasFlag(CertificateUse.Server))
            uses.Add(ServerAuthentication);
        if (profile.Use.HasFlag(CertificateUse.Client))
            uses.Add(ClientAuthentication);
        if (uses.Count > 0)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(uses, critical: false));
        if (profile.Names.Count > 0)
            request.CertificateExtensions.Add(AlternativeNames(profile.Names));
    }

    private static X509Extension AlternativeNames(IReadOnlyList<string> names)
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
                builder.AddIpAddress(address);
            else
                builder.AddDnsName(name);
        }

        return builder.Build();
    }

    /// <summary>A certificate must not outlive the one that signed it.</summary>
    private static DateTimeOffset Earlier(DateTimeOffset until, X509Certificate2? issuer) => issuer is not null && issuer.NotAfter < until ? issuer.NotAfter : until;

    /// <summary>RFC 5280, 4.1.2.2: positive, at most 20 octets, hard to guess.</summary>
    private static byte[] SerialNumber()
    {
        var number = RandomNumberGenerator.GetBytes(16);
        number[0] = (byte)((number[0] & 0x7F) | 0x40);
        return number;
    }
}
