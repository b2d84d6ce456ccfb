using OpenShell.Vm.Bundles;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Json;

/// <summary>A bundle, as <c>bundle create</c> and <c>bundle verify</c> print it.</summary>
internal sealed record BundleView(
    bool Ok,
    string Path,
    string Digest,
    long Bytes,
    int FormatVersion,
    string CreatedBy,
    string Architecture,
    BundleStart Start,
    IReadOnlyList<BundleRequirement> Requirements,
    IReadOnlyList<BundlePart> Parts,
    IReadOnlyList<FaultView> Faults)
{
    public static BundleView Of(string path, string digest, long bytes, BundleManifest manifest, IReadOnlyList<Fault> faults) => new(
        faults.Count == 0,
        path,
        digest,
        bytes,
        manifest.FormatVersion,
        manifest.CreatedBy,
        manifest.Architecture,
        manifest.Start,
        manifest.Requirements,
        manifest.Parts,
        [.. faults.Select(f => FaultView.Of(f)!)]);
}
