using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Runtime;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Images;

// Golden images, and the memory of suspended instances: in the same lists as what they were made of.
public sealed partial class ImageBuilder
{
    /// <summary>The kind by which a golden image is listed.</summary>
    internal const string GoldenKind = "golden";

    private GoldenStore Golden => new(_directories);

    /// <summary>The SHA-256 of the hypervisor of this host for guests of a processor; <see langword="null"/>: there is none. For tests another one.</summary>
    internal Func<string, CancellationToken, Task<string?>>? HypervisorSha256 { get; init; }

    private async Task<string?> HypervisorAsync(string architecture, CancellationToken cancellationToken) =>
        HypervisorSha256 is { } given ? await given(architecture, cancellationToken).ConfigureAwait(false)
        : RuntimeTools.FindQemu(architecture) is { } qemu ? (await new RuntimeInspector(_directories).InspectAsync("qemu", qemu, null, cancellationToken).ConfigureAwait(false)).Sha256
        : null;

    private static ArtifactInfo Info(GoldenImage image, bool current) => new()
    {
        Kind = GoldenKind,
        Key = image.Hash,
        Folder = image.Folder,
        Version = image.Key is { } key ? $"{key.Distribution}, {key.Vcpus} vCPUs, {key.MemoryMib} MiB" : null,
        Size = image.Bytes,
        BuiltAt = image.MadeAt,
        Current = current,
        Instances = image.Instances,
        Fault = image.Fault,
    };

    /// <summary>The golden images, and by kind and key the artifacts that each is of. Current is one that a start of now may find: of this layout, of this host's QEMU, and of images that can still be asked for.</summary>
    private async Task<IReadOnlyList<(ArtifactInfo Info, IReadOnlyList<string> Artifacts)>> GoldenAsync(CancellationToken cancellationToken)
    {
        var found = new List<(ArtifactInfo, IReadOnlyList<string>)>();
        foreach (var image in Golden.List())
        {
            var of = image.Key is { Format: GoldenKey.CurrentFormat } key ? await SetOfAsync(key, image.BakedOf, cancellationToken).ConfigureAwait(false) : null;
            found.Add((Info(image, of is { Runs: true }), of?.Artifacts ?? []));
        }

        return found;
    }

    /// <summary>The images that a golden one is of, as they would be asked for now; <see langword="null"/>: nothing that can be asked for gives those.</summary>
    private async Task<GoldenSet?> SetOfAsync(GoldenKey key, BakedOf? baked, CancellationToken cancellationToken)
    {
        foreach (var request in baked is not null ? [baked.Request] : Guesses(key))
        {
            if (await PlannedAsync(request, cancellationToken).ConfigureAwait(false) is { } planned && planned.Key == key.Machine.Images)
            {
                var hypervisor = await HypervisorAsync(request.Architecture ?? Architectures.Host, cancellationToken).ConfigureAwait(false);

                // Where there is none, another one may come, or the same.
                return new GoldenSet(hypervisor is null || hypervisor == key.Machine.HypervisorSha256, planned.Artifacts);
            }
        }

        return null;
    }

    /// <summary>Of one that does not say what it was asked for as.</summary>
    private static IEnumerable<ImageRequest> Guesses(GoldenKey key) =>
        from architecture in Architectures.All
        from kernel in new[] { Kernels.KernelNames.Debian, Kernels.KernelNames.Custom }
        select new ImageRequest { Mode = Protocol.Messages.GuestMode.Cluster, Architecture = architecture, Distribution = key.Distribution, Kernel = kernel };

    /// <summary>The set that a request would give, whether it is built or not; <see langword="null"/>: it cannot be told, or what it names is not there.</summary>
    private async Task<(string Key, IReadOnlyList<string> Artifacts)?> PlannedAsync(ImageRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var facts = await FactsAsync(request, cancellationToken).ConfigureAwait(false);
            var parts = ImageParts.Choices(request)[0];
            facts = parts.In(facts);
            var catalog = CatalogOf(facts);
            if (parts.Kinds.Any(kind => !catalog.Kinds.Contains(kind)))
                return null;
            var keys = KeysOf(facts);
            var plans = parts.Kinds.Select(keys.Plan).OfType<ArtifactPlan>().ToList();
            return plans.Count < parts.Kinds.Count() ? null
                : (await SetKeyAsync(parts, [.. plans.Select(plan => plan.Key)], cancellationToken).ConfigureAwait(false),
                    [.. catalog.Closure(parts.Kinds).Select(recipe => keys.Plan(recipe.Kind)).OfType<ArtifactPlan>().Select(plan => $"{plan.Recipe.Kind}/{plan.Key}")]);
        }
        catch (FaultException)
        {
            // No sources, or a file of the user's that is gone: told by what is about that.
            return null;
        }
    }

    /// <param name="Runs">Whether this host's hypervisor is the one that can go on from it.</param>
    /// <param name="Artifacts">What it is of, by kind and key.</param>
    private sealed record GoldenSet(bool Runs, IReadOnlyList<string> Artifacts);

    /// <summary>Hashes every golden image and every suspended memory.</summary>
    private async Task<(IReadOnlyList<ArtifactInfo> Verified, IReadOnlyList<Fault> Faults)> VerifySavedAsync(Action<long> onBytes, CancellationToken cancellationToken)
    {
        var (verified, faults) = (new List<ArtifactInfo>(), new List<Fault>());
        foreach (var (info, _) in await GoldenAsync(cancellationToken).ConfigureAwait(false))
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

    /// <summary>Golden images that no instance stands on, and that no start can use any more.</summary>
    private static IEnumerable<(PrunedPath Path, string? Guard)> UnusedGolden(IEnumerable<(ArtifactInfo Info, IReadOnlyList<string> Artifacts)> images) =>
        images.Select(image => image.Info)
            .Where(info => info.Instances.Count == 0 && (info.Fault is not null || !info.Current))
            .Select(info => (Pruned(info.Folder, info.Fault is null ? "it was baked by another QEMU, or of images that nothing asks for any more, and no instance stands on it" : "it cannot be used"), (string?)$"golden-{info.Key}"));
}
