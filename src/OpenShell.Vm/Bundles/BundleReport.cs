using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Bundles;

/// <summary>What <c>gateway bundle verify</c> found.</summary>
/// <param name="Digest">What stands for the whole bundle (<see cref="BundleFile.Digest"/>): compare it with the one that was printed when it was made.</param>
/// <param name="Manifest">What the bundle says of itself.</param>
/// <param name="Intact">Parts that are as they were written.</param>
/// <param name="Faults">One for each thing that is not.</param>
/// <param name="Bytes">Bytes of the file.</param>
public sealed record BundleReport(string Digest, BundleManifest Manifest, IReadOnlyList<BundlePart> Intact, IReadOnlyList<Fault> Faults, long Bytes)
{
    /// <summary>Whether the bundle is as it was made.</summary>
    public bool Ok => Faults.Count == 0;
}
