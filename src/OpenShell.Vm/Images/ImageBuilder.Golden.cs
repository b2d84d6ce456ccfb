using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Images;

// Golden images, and the memory of suspended instances: in the same lists as what they were made of.
public sealed partial class ImageBuilder
{
    /// <summary>The kind by which a golden image is listed.</summary>
    internal const string GoldenKind = "golden";

    private GoldenStore Golden => new(_directories);

    private static ArtifactInfo Info(GoldenImage image, HashSet<string> currentSets) => new()
    {
        Kind = GoldenKind,
        Key = image.Hash,
        Folder = image.Folder,
        Version = image.Key is { } key ? $"{key.Distribution}, {key.Vcpus} vCPUs, {key.MemoryMib} MiB" : null,
        Size = image.Bytes,
        BuiltAt = image.MadeAt,
        Current = image.Key is { } made && currentSets.Contains(made.Machine.Images),
        Instances = image.Instances,
        Fault = image.Fault,
    };

    /// <summary>The sets that a cluster boots from as things are now: what golden images of others were baked of is of the past.</summary>
    private async Task<HashSet<string>> CurrentSetsAsync(CancellationToken cancellationToken)
    {
        var sets = new HashSet<string>(StringComparer.Ordinal);
        foreach (var distribution in new[] { Distributions.Upstream.DistributionName, Distributions.K3s.DistributionName })
        {
            foreach (var kernel in new[] { Kernels.KernelNames.Debian, Kernels.KernelNames.Custom })
            {
                try
                {
                    if (await FindAsync(new ImageRequest { Mode = Protocol.Messages.GuestMode.Cluster, Distribution = distribution, Kernel = kernel }, cancellationToken).ConfigureAwait(false) is { } set)
                        sets.Add(set.Key);
                }
                catch (FaultException)
                {
                    // A damaged artifact, or no sources: told by what is about that.
                }
            }
        }

        return sets;
    }

    private async Task<IReadOnlyList<ArtifactInfo>> GoldenInfosAsync(CancellationToken cancellationToken)
    {
        var images = Golden.List();
        if (images.Count == 0)
            return [];
        var sets = await CurrentSetsAsync(cancellationToken).ConfigureAwait(false);
        return [.. images.Select(image => Info(image, sets))];
    }

    /// <summary>Hashes every golden image and every suspended memory.</summary>
    private async Task<(IReadOnlyList<ArtifactInfo> Verified, IReadOnlyList<Fault> Faults)> VerifySavedAsync(Action<long> onBytes, CancellationToken cancellationToken)
    {
        var (verified, faults) = (new List<ArtifactInfo>(), new List<Fault>());
        foreach (var info in await GoldenInfosAsync(cancellationToken).ConfigureAwait(false))
        {
            var found = await GoldenStore.VerifyAsync(new GoldenFiles(info.Folder), onBytes, cancellationToken).ConfigureAwait(false);
            faults.AddRange(found);
            if (found.Count == 0)
                verified.Add(info);
        }

        var store = new InstanceStore(_directories);
        foreach (var snapshot in store.Names().Select(name => new Snapshot(store.FilesToLookAt(name))).Where(snapshot => snapshot.Exists))
        {
            faults.AddRange(await snapshot.VerifyAsync(onBytes, cancellationToken).ConfigureAwait(false));
        }

        return (verified, faults);
    }

    /// <summary>Golden images that no instance stands on, and that cannot be used or are of images of the past.</summary>
    private async Task<IEnumerable<(PrunedPath Path, string? Guard)>> UnusedGoldenAsync(CancellationToken cancellationToken) =>
        (await GoldenInfosAsync(cancellationToken).ConfigureAwait(false))
            .Where(info => info.Instances.Count == 0 && (info.Fault is not null || !info.Current))
            .Select(info => (new PrunedPath(info.Folder, info.Size, info.Fault is null ? "it was baked of images that are not current, and no instance stands on it" : "it cannot be used"), (string?)$"golden-{info.Key}"));
}
