using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenShell.Gateway.Tls;

/// <summary>The server's certificate and the authorities of its clients, as they stood in the files at one moment. Immutable; a reload makes another.</summary>
internal sealed class TlsMaterial
{
    private readonly byte[] _fingerprint;
    private readonly string _authorities;

    private TlsMaterial(X509Certificate2 server, X509Certificate2Collection chain, X509Certificate2Collection clientAuthorities, byte[] fingerprint, string authorities)
    {
        Certificate = server;
        // Offline: no downloads of intermediates, no OCSP stapling, from inside a cluster that may have no way out.
        Server = SslStreamCertificateContext.Create(server, chain, offline: true);
        ClientAuthorities = clientAuthorities;
        _fingerprint = fingerprint;
        _authorities = authorities;
    }

    /// <summary>What the server shows, with the certificates behind it.</summary>
    public SslStreamCertificateContext Server { get; }

    /// <summary>The first certificate of that.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The only roots by which clients are trusted: one, or two while one is being replaced.</summary>
    public X509Certificate2Collection ClientAuthorities { get; }

    /// <summary>Whether both were read from files of the same content.</summary>
    public bool IsSameAs(TlsMaterial other) => _fingerprint.AsSpan().SequenceEqual(other._fingerprint);

    /// <summary>Whether both let in the same clients.</summary>
    public bool HasAuthoritiesOf(TlsMaterial other) => _authorities == other._authorities;

    /// <summary>Reads the files that <paramref name="settings"/> name.</summary>
    /// <exception cref="TlsMaterialException">A file is missing, empty, or does not go with the others; the message says which.</exception>
    public static TlsMaterial Load(GatewaySettings settings)
    {
        var certificate = Read(settings.Certificate);
        var key = Read(settings.Key);
        var authorities = Read(settings.ClientCa);
        try
        {
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificate);
            var roots = new X509Certificate2Collection();
            roots.ImportFromPem(authorities);
            if (chain.Count == 0)
                throw new TlsMaterialException($"{settings.Certificate} holds no certificate.");
            if (roots.Count == 0)
                throw new TlsMaterialException($"{settings.ClientCa} holds no certificate: no client could ever be let in.");
            return new TlsMaterial(
                X509Certificate2.CreateFromPem(certificate, key), chain, roots,
                SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Join('\0', certificate, key, authorities))), authorities);
        }
        catch (Exception invalid) when (invalid is CryptographicException or ArgumentException)
        {
            throw new TlsMaterialException($"{settings.Certificate}, {settings.Key} and {settings.ClientCa} are not a certificate, its key and a CA in PEM: {invalid.Message}", invalid);
        }
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new TlsMaterialException($"{path} cannot be read: {unreadable.Message}", unreadable);
        }
    }
}

/// <summary>The TLS files cannot be used.</summary>
internal sealed class TlsMaterialException(string message, Exception? cause = null) : Exception(message, cause);
