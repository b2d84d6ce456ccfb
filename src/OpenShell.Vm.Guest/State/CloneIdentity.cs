using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.State;

/// <summary>
/// A clone's disk is another machine's, down to what must be a machine's own. The node's name and the cluster's authority stay: pods, volumes and tokens on the disk
/// hang on them. The machine id, the gateway's authority and the API front's are made anew, once; or come from the host, for a clone whose memory was resumed.
/// </summary>
internal static class CloneIdentity
{
    private const string Name = "identity";

    /// <summary>Takes the disk over for a machine, unless it is that machine's already.</summary>
    /// <param name="identity">The machine's; <see langword="null"/>: it is no clone, and the disk has always been its own.</param>
    /// <param name="state">For tests: where the disk is mounted.</param>
    public static void Claim(string? identity, string state = GuestPaths.State)
    {
        if (identity is null || Mark(state).Is(identity))
            return;
        File.Delete(Path.Combine(state, "machine-id"));

        // A disk that is new has none yet: a golden image begins so.
        var pki = Path.Combine(state, "pki");
        foreach (var authority in Directory.Exists(pki) ? (string[])[ClusterCertificates.GatewayCa, ClusterCertificates.FrontCa] : [])
        {
            foreach (var file in (string[])[".crt", ".key"])
                File.Delete(Path.Combine(pki, authority + file));
        }

        // Last: what is interrupted before is done again.
        Own(identity, state);
    }

    /// <summary>The disk is about to become another machine's: until <see cref="Own"/> it is nobody's.</summary>
    public static void Disown(string identity, string state = GuestPaths.State)
    {
        if (!Mark(state).Is(identity))
            Mark(state).Set("");
    }

    /// <summary>The disk is that machine's, with all that is on it.</summary>
    public static void Own(string identity, string state = GuestPaths.State) => Mark(state).Set(identity);

    private static Marker Mark(string state) => new(Name, Path.Combine(state, "markers"));
}
