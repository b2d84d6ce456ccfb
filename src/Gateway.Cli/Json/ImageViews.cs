using OpenShell.Vm.Images;

namespace OpenShell.Gateway.Cli.Json;

/// <summary>An artifact in the cache.</summary>
internal sealed record ArtifactView(
    string Kind,
    string Key,
    string? Version,
    long Bytes,
    DateTimeOffset? BuiltAt,
    bool Current,
    IReadOnlyList<string> Instances,
    string Folder,
    FaultView? Fault)
{
    public static ArtifactView Of(ArtifactInfo artifact) => new(
        artifact.Kind,
        artifact.Key,
        artifact.Version,
        artifact.Size,
        artifact.BuiltAt,
        artifact.Current,
        artifact.Instances,
        artifact.Folder,
        FaultView.Of(artifact.Fault));
}

/// <summary>What <c>image build</c> made or found.</summary>
internal sealed record ImageView(string Key, string Kernel, string? Initramfs, string Root, double Seconds);

/// <summary>What <c>kernel build</c> made or found.</summary>
internal sealed record KernelView(string Version, string Key, string Kernel, string Configuration, string Firmware, string Provenance, double Seconds);

/// <summary>What <c>kernel check</c> found.</summary>
internal sealed record KernelCheckView(bool Ok, string Release, IReadOnlyList<KernelCapabilityView> Capabilities);

/// <summary>Whether a kernel can do something.</summary>
internal sealed record KernelCapabilityView(string Name, string Purpose, bool Required, bool Works, IReadOnlyList<string> Options, string? Detail);

/// <summary>What <c>image verify</c> found.</summary>
internal sealed record VerifyView(bool Ok, long Bytes, IReadOnlyList<ArtifactView> Verified, IReadOnlyList<FaultView> Faults);

/// <summary>What <c>image prune</c> removed, or would remove.</summary>
internal sealed record PruneView(bool DryRun, long Bytes, IReadOnlyList<PrunedPath> Removed, IReadOnlyList<ArtifactView> Kept);
