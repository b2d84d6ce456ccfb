using System.Security.Cryptography.X509Certificates;

namespace OpenShell.Vm.Pki;

/// <summary>A number of certificates of which some sign others.</summary>
internal static class CertificateSet
{
    /// <summary>Makes all of them, and keeps nothing on disk.</summary>
    /// <param name="profiles">Authorities before what they sign.</param>
    /// <param name="now">The time.</param>
    /// <returns>By name.</returns>
    public static IReadOnlyDictionary<string, KeyPair> Make(IReadOnlyList<CertificateProfile> profiles, DateTimeOffset now) =>
        ForAll(profiles, (profile, issuer) => CertificateFactory.Make(profile, issuer, now));

    /// <summary>Authorities first, then all others at once: on an emulated processor each takes a while.</summary>
    /// <param name="profiles">Authorities before what they sign.</param>
    /// <param name="make">Makes, or finds, one; with the one that signs it.</param>
    public static IReadOnlyDictionary<string, KeyPair> ForAll(IReadOnlyList<CertificateProfile> profiles, Func<CertificateProfile, X509Certificate2?, KeyPair> make)
    {
        var pairs = new Dictionary<string, KeyPair>();
        var authorities = new Dictionary<string, X509Certificate2>();
        try
        {
            foreach (var profile in profiles.Where(p => p.Issuer is null))
            {
                pairs.Add(profile.Name, make(profile, null));
                authorities.Add(profile.Name, pairs[profile.Name].Open());
            }

            var leaves = profiles.Where(p => p.Issuer is not null).Select(p => (p.Name, Pair: Task.Run(() => make(p, authorities[p.Issuer!])))).ToList();
            foreach (var (name, pair) in leaves)
                pairs.Add(name, pair.GetAwaiter().GetResult());
        }
        finally
        {
            foreach (var authority in authorities.Values)
                authority.Dispose();
        }

        return pairs;
    }
}
