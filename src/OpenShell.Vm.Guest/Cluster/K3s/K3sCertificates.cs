using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OpenShell.Vm.Guest.Cluster.K3s;

/// <summary>When k3s's own certificates end. They last for a year, and k3s makes them anew when it starts and little is left of them (https://docs.k3s.io/cli/certificate).</summary>
internal static class K3sCertificates
{
    /// <summary>120 days in newer versions, 90 in older ones: what all of them renew.</summary>
    private static readonly TimeSpan RenewedAtStart = TimeSpan.FromDays(90);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1), Patience = TimeSpan.FromMinutes(10);

    /// <summary>Whether a start of k3s would renew them.</summary>
    public static bool AreNearTheirEnd(K3sLayout layout, DateTimeOffset now) => FirstEnd(layout) is { } end && end - now < RenewedAtStart;

    /// <summary>Waits until they are.</summary>
    /// <exception cref="GuestFaultException">They are not, after ten minutes.</exception>
    public static async Task RenewedAsync(K3sLayout layout, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var until = time.GetUtcNow() + Patience; AreNearTheirEnd(layout, time.GetUtcNow()); await Task.Delay(LookEvery, time, cancellationToken).ConfigureAwait(false))
        {
            if (time.GetUtcNow() > until)
                throw new GuestFaultException("guest.certificates-not-renewed", "k3s was started again and has not renewed its certificates.", "See its log, /var/log/openshell/k3s.log in the guest, and 'k3s certificate rotate'.");
        }
    }

    /// <summary>The first end of any of them, but for those of its authorities, which last for ten years; <see langword="null"/> before there are any.</summary>
    internal static DateTimeOffset? FirstEnd(K3sLayout layout)
    {
        var folder = layout.Server + "/tls";
        if (!Directory.Exists(folder))
            return null;
        DateTimeOffset? first = null;
        foreach (var file in Directory.EnumerateFiles(folder, "*.crt"))
        {
            if (Path.GetFileName(file).EndsWith("-ca.crt", StringComparison.Ordinal))
                continue;
            try
            {
                using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
                var end = new DateTimeOffset(certificate.NotAfter.ToUniversalTime());
                first = first < end ? first : end;
            }
            catch (Exception exception) when (exception is CryptographicException or IOException)
            {
                // Being written.
            }
        }

        return first;
    }
}
