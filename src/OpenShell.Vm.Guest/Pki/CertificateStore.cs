using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Pki;

/// <summary>
/// Certificates on disk: kept as long as they are what their profiles say, made anew when not. A CA is kept until it expires, since what it signed is in
/// the hands of others.
/// </summary>
internal sealed class CertificateStore(string folder, TimeProvider time)
{
    /// <summary>What is kept at a start lasts this long at least. A guest that stays up longer is told to renew by its supervisor.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromDays(180);

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private int _made;

    /// <summary>How many <see cref="Ensure"/> did not find, or not as their profiles say.</summary>
    public int Made => _made;

    /// <summary>Makes every certificate true.</summary>
    /// <param name="profiles">All of them, authorities before what they sign.</param>
    /// <param name="prepared">Made in advance by <see cref="CertificateSet.Make"/> of the same profiles; used as a whole when there is nothing on disk yet.</param>
    /// <param name="margin">How long what is kept must last. For an authority never more than at a start: a new one makes void what is in the hands of others.</param>
    /// <returns>By name; the keys are in the files <c>NAME.key</c> too, mode 0600.</returns>
    /// <exception cref="GuestFaultException">An authority is of the future: the clock is wrong, and nothing that it signed would be believed.</exception>
    public IReadOnlyDictionary<string, KeyPair> Ensure(IReadOnlyList<CertificateProfile> profiles, IReadOnlyDictionary<string, KeyPair>? prepared = null, TimeSpan? margin = null)
    {
        if (prepared is not null && !Directory.Exists(folder))
        {
            foreach (var (name, pair) in prepared)
                Save(name, pair);
            return prepared;
        }

        return CertificateSet.ForAll(profiles, (profile, issuer) => Load(profile, issuer, margin ?? Margin) ?? Save(profile.Name, CertificateFactory.Make(profile, issuer, time.GetUtcNow())));
    }

    /// <summary>Takes over what was made elsewhere by the same profiles, each pair whole or not at all.</summary>
    public void Put(IReadOnlyDictionary<string, KeyPair> pairs)
    {
        foreach (var (name, pair) in pairs)
            Save(name, pair);
    }

    /// <summary>The key that signs tokens: <c>sa.pub</c>, <c>sa.key</c>. Never changed: every token in the cluster would be void.</summary>
    public SigningKey EnsureSigningKey()
    {
        var (publicFile, privateFile) = (Path.Combine(folder, "sa.pub"), Path.Combine(folder, "sa.key"));
        if (File.Exists(publicFile) && File.Exists(privateFile))
            return new SigningKey(File.ReadAllText(publicFile), File.ReadAllText(privateFile));
        var key = SigningKey.Make();
        // The public key last: it is the sign that both are there.
        OwnerFile.Write(privateFile, key.PrivatePem);
        OwnerFile.Write(publicFile, key.PublicPem);
        return key;
    }

    /// <summary>The path of a certificate.</summary>
    public string CertificateFile(string name) => Path.Combine(folder, name + ".crt");

    /// <summary>The path of a key.</summary>
    public string KeyFile(string name) => Path.Combine(folder, name + ".key");

    /// <summary>Asks the disk to keep what was written; a certificate that is lost with the power is made anew, but an authority must not be.</summary>
    public void Flush()
    {
        var descriptor = Native.Linux.Open(folder, Native.Linux.OpenReadOnly | Native.Linux.OpenCloseOnExec, 0);
        _ = Native.Linux.SyncFileSystem(descriptor);
        _ = Native.Linux.Close(descriptor);
    }

    private KeyPair Save(string name, KeyPair pair)
    {
        Interlocked.Increment(ref _made);
        // The certificate last, as above.
        OwnerFile.Write(KeyFile(name), pair.KeyPem);
        OwnerFile.Write(CertificateFile(name), pair.CertificatePem);
        return pair;
    }

    /// <summary>What is on disk, if it is what the profile says; else <see langword="null"/>.</summary>
    private KeyPair? Load(CertificateProfile profile, X509Certificate2? issuer, TimeSpan margin)
    {
        if (!File.Exists(CertificateFile(profile.Name)) || !File.Exists(KeyFile(profile.Name)))
            return null;
        var pair = new KeyPair(File.ReadAllText(CertificateFile(profile.Name)), File.ReadAllText(KeyFile(profile.Name)));
        try
        {
            // Also fails when the key is not the certificate's.
            using var certificate = pair.Open();
            return IsCurrent(certificate, profile, issuer, margin) ? pair : null;
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    private bool IsCurrent(X509Certificate2 certificate, CertificateProfile profile, X509Certificate2? issuer, TimeSpan margin)
    {
        var now = time.GetUtcNow().UtcDateTime;
        if (certificate.NotAfter.ToUniversalTime() - now < (issuer is null && margin > Margin ? Margin : margin))
            return false;
        if (certificate.NotBefore.ToUniversalTime() is var from && from > now)
        {
            // What it signed is in the hands of others: it is not the authority that is wrong.
            return issuer is not null ? false : throw new GuestFaultException(
                "guest.clock-behind",
                string.Create(CultureInfo.InvariantCulture, $"the clock says {now:yyyy-MM-dd HH:mm} UTC, and the authority '{profile.Name}' on the state disk is valid from {from:yyyy-MM-dd HH:mm} UTC on."),
                "The guest takes its time from the host: set the host's clock right and start again.");
        }

        return issuer is null || (IsSignedBy(certificate, issuer) && NamesOf(certificate).SetEquals(profile.Names) && certificate.SubjectName.Name == CertificateFactory.SubjectOf(profile).Name);
    }

    /// <summary>By the identifier of the issuer's key, which is enough to tell an old CA from its successor; nobody else can write here.</summary>
    private static bool IsSignedBy(X509Certificate2 certificate, X509Certificate2 issuer)
    {
        var signer = certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().SingleOrDefault()?.KeyIdentifier;
        var key = issuer.Extensions.OfType<X509SubjectKeyIdentifierExtension>().SingleOrDefault()?.SubjectKeyIdentifierBytes;
        return signer is { } s && key is { } k && s.Span.SequenceEqual(k.Span);
    }

    private static HashSet<string> NamesOf(X509Certificate2 certificate)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SingleOrDefault() is not { } extension)
            return names;
        foreach (var name in extension.EnumerateDnsNames())
            names.Add(name);
        foreach (var address in extension.EnumerateIPAddresses())
            names.Add(address.ToString());
        return names;
    }
}
