namespace OpenShell.Vm.Images;

/// <summary>The artifacts that one boot uses, verified and ready: absolute paths into the cache.</summary>
public sealed record ImageSet
{
    /// <summary>The guest's kernel.</summary>
    public required string Kernel { get; init; }

    /// <summary>The initramfs; <see langword="null"/> for a kernel that needs none.</summary>
    public string? Initramfs { get; init; }

    /// <summary>The read-only root image.</summary>
    public required string Root { get; init; }

    /// <summary>What the cluster is, for a person, where the image holds one.</summary>
    public string? DistributionVersion { get; init; }

    /// <summary>The file that the cluster in the root image was made from, if it holds one.</summary>
    public string? Distribution { get; init; }

    /// <summary>The content address of the whole set: changes when any input changes.</summary>
    public required string Key { get; init; }
}
