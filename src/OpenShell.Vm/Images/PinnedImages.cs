using OpenShell.Vm.Bundles;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Images;

/// <summary>Exactly these artifacts of the image cache, whatever else it has, and whether or not the current recipes would make them: files as <c>KIND/KEY/FILE</c>.</summary>
public sealed record PinnedImages
{
    /// <summary>The digest of the bundle that named them (<see cref="BundleFile.Digest"/>).</summary>
    public required string Bundle { get; init; }

    /// <summary>The guest's kernel.</summary>
    public required string Kernel { get; init; }

    /// <summary>The initramfs; <see langword="null"/>: the kernel needs none.</summary>
    public string? Initramfs { get; init; }

    /// <summary>The root image.</summary>
    public required string Root { get; init; }

    /// <summary>gvproxy, in place of the host's own.</summary>
    public required string Gvproxy { get; init; }

    /// <summary>What the cluster is, for a person; <see langword="null"/> where the bundle does not say.</summary>
    public string? DistributionVersion { get; init; }

    /// <summary>The content address of the whole set.</summary>
    public required string Key { get; init; }

    /// <summary>Absolute path of one of the files.</summary>
    internal static string PathOf(HostDirectories directories, string file) => Path.Combine(new CacheLayout(directories.Cache).Artifacts, file);

    /// <summary>The set in the cache, its files checked. Reads only the disk.</summary>
    /// <exception cref="FaultException">One is no longer there (<c>bundle.artifact-gone</c>), or not as it was (<c>image.artifact-corrupt</c>).</exception>
    internal async Task<ImageSet> FindAsync(HostDirectories directories, IProgress<BuildProgress>? progress, CancellationToken cancellationToken)
    {
        var cache = new ArtifactCache(new CacheLayout(directories.Cache));
        foreach (var file in new[] { Kernel, Initramfs, Root, Gvproxy }.OfType<string>())
        {
            var words = file.Split('/', 3);
            var step = new StepReporter(words[0], words[0], progress);
            if (cache.Find(words[0], words[1]) is not { } record)
                throw BundleFaults.ArtifactGone($"{words[0]}/{words[1]}");
            if (await cache.CheckAtUseAsync(record, cancellationToken).ConfigureAwait(false) is { } fault)
                throw new FaultException(fault with { Remedy = "Start with 'gateway up --bundle FILE' again; it is put back." });
            step.State(BuildState.Cached, record.Version, record.Outputs.Sum(o => o.Size));
        }

        return new ImageSet { Kernel = PathOf(directories, Kernel), Initramfs = Initramfs is null ? null : PathOf(directories, Initramfs), Root = PathOf(directories, Root), DistributionVersion = DistributionVersion, Key = Key };
    }
}
