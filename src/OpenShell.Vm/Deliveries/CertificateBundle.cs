using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Deliveries;

/// <summary>Certificate authorities as one PEM text.</summary>
public static class CertificateBundle
{
    /// <summary>In place of a path: every authority that this machine trusts.</summary>
    public const string Host = "host";

    /// <summary>What is wrong with a file; <see langword="null"/>: nothing.</summary>
    internal static Fault? Fault(string option, string path)
    {
        try
        {
            if (Read(path).Count > 0)
                return null;
        }
        catch (CryptographicException)
        {
        }

        return DeliveryFaults.Make("ca-invalid", $"{option} {path} holds no certificate in PEM.", "Give a file with '-----BEGIN CERTIFICATE-----'; 'openssl x509 -inform der -in FILE -out NEW' makes one of DER.");
    }

    /// <summary>All of the named authorities, each once.</summary>
    /// <param name="sources">Paths, or <see cref="Host"/>.</param>
    internal static string Pem(IEnumerable<string> sources)
    {
        var seen = new HashSet<string>();
        var text = new StringBuilder();
        foreach (var certificate in sources.SelectMany(source => source == Host ? OfHost() : Read(source)))
        {
            if (seen.Add(certificate.Thumbprint))
                text.Append(certificate.ExportCertificatePem()).Append('\n');
            certificate.Dispose();
        }

        return text.ToString();
    }

    private static X509Certificate2Collection Read(string path)
    {
        var certificates = new X509Certificate2Collection();
        certificates.ImportFromPem(File.ReadAllText(path));
        return certificates;
    }

    private static X509Certificate2Collection OfHost()
    {
        using var store = new X509Store(StoreName.Root, StoreLocation.LocalMachine, OpenFlags.ReadOnly);
        return store.Certificates;
    }
}
