using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.State;

/// <summary>
/// A clone's disk is another machine's, down to what must be a machine's own. The node's name and the cluster's authority stay: pods, volumes and tokens on the disk
/// hang on them. The machine id and the gateway's authority are made anew, once.
/// </summary>
internal static class CloneIdentity
{
    private const string Name = "identity";

    /// <summary>Takes the disk over for a machine, unless it is that machine's already.</summary>
    /// <param name="identity">The machine's; <see langword="null"/>: it is no clone, and the disk has always been its own.</param>
    /// <param name="state">For tests: where the disk is mounted.</param>
    public static void Claim(string? identity, string state = GuestPaths.State)
    {
        if (identity is null)
            return;
        var marker = new Marker(Name, Path.Combine(state, "markers"));
        if (marker.Is(identity))
            return;
        File.Delete(Path.Combine(state, "machine-id"));
        foreach (var file in new[] { ".crt", ".key" })
            File.Delete(Path.Combine(state, "pki", ClusterCertificates.GatewayCa + file));

        // Last: what is interrupted before is done again.
        marker.Set(identity);
    }
}
