using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Images;

// Listing, verifying and pruning: what is in the cache, is it right, is it needed.
public sealed partial class ImageBuilder
{
    // A download into a folder that nothing was written to for so long is none any more.
    private static readonly TimeSpan FetchLimit = TimeSpan.FromHours(1);

    // In an instance's folder: what it boots, and besides what a bundle brought: gvproxy, and the workload.
    private static readonly string[] NamingFiles = ["plan.json", "config.json"];

    /// <inheritdoc/>
    public async Task<IReadOnlyList<ArtifactInfo>> ListAsync(CancellationToken cancellationToken = default) =>
        [.. Infos(CurrentKeysOrNone()).Concat((await GoldenAsync(cancellationToken).ConfigureAwait(false)).Select(image => image.Info)).OrderBy(i => i.Kind, StringComparer.Ordinal).ThenByDescending(i => i.BuiltAt)];

    /// <inheritdoc/>
    public async Task<VerifyReport> VerifyAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        var step = new StepReporter("verify", "Verifying", progress);
        step.State(BuildState.Started);
        var infos = Infos(CurrentKeysOrNone());
        var faults = infos.Where(i => i.Fault is not null).Select(i => i.Fault!).ToList();
        var verified = new List<ArtifactInfo>();
        var (total, done) = (Math.Max(1, infos.Sum(i => i.Size)), 0L);
        foreach (var info in infos.Where(i => i.Fault is null))
        {
            var found = await _cache.CheckFullyAsync(
                ArtifactCache.Read(info.Folder)!,
                bytes =>
                {
                    done += bytes;
                    step.Running($"{info.Kind} {info.Version}", (double)done / total, done);
                },
                cancellationToken).ConfigureAwait(false);
            faults.AddRange(found);
            if (found.Count == 0)
                verified.Add(info);
        }

        var saved = await VerifySavedAsync(
            bytes =>
            {
                done += bytes;
                step.Running("saved machines", null, done);
            },
            cancellationToken).ConfigureAwait(false);
        verified.AddRange(saved.Verified);
        faults.AddRange(saved.Faults);
        step.State(faults.Count == 0 ? BuildState.Completed : BuildState.Failed, bytes: done);
        return new VerifyReport(verified, faults, done);
    }

    /// <inheritdoc/>
    public async Task<PruneReport> PruneAsync(PruneRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var keys = KeysNow(); // without sources nobody knows what is needed: then this throws, and nothing is removed
        var golden = await GoldenAsync(cancellationToken).ConfigureAwait(false);

        // What a golden image is of is kept with it: without it nothing would ask for that image any more.
        var current = CurrentKeys(keys);
        current.UnionWith(golden.Where(image => image.Info is { Current: true, Fault: null } || image.Info.Instances.Count > 0).SelectMany(image => image.Artifacts));
        var infos = Infos(current);
        var removals = new List<(PrunedPath Path, string? Guard)>();
        foreach (var info in infos.Where(i => !i.Current && i.Instances.Count == 0))
            removals.Add((Pruned(info.Folder, info.Fault is null ? "no current recipe and no instance uses it" : "it cannot be used"), $"{info.Kind}-{info.Key}"));
        foreach (var folder in FoldersIn(_layout.Building))
            removals.Add((Pruned(folder, "left by an interrupted build"), Path.GetFileName(folder).Replace("scratch-", "", StringComparison.Ordinal)));
        foreach (var (memory, hash) in new MemoryPlace(_directories.Cache).Existing())
            removals.Add((Pruned(memory, "memory left by an interrupted bake"), "golden-" + hash));
        foreach (var folder in FoldersIn(_layout.Packages).Where(f => Directory.GetLastWriteTimeUtc(f) < DateTime.UtcNow - FetchLimit))
            removals.Add((Pruned(folder, "left by an interrupted download"), null));
        foreach (var folder in FoldersIn(_layout.Corrupt))
            removals.Add((Pruned(folder, "set aside as corrupt"), null));
        removals.AddRange(UnusedGolden(golden));
        removals.AddRange(UnusedPackages(request).Select(p => (p, (string?)null)));
        if (request.BuildCaches)
        {
            foreach (var folder in FoldersIn(_layout.Work))
                removals.Add((Pruned(folder, "only speeds up later builds"), "work-" + Path.GetFileName(folder)));
            foreach (var folder in FoldersIn(_layout.Apt))
                removals.Add((Pruned(folder, "only speeds up later builds"), "apt-" + Path.GetFileName(folder)));
        }

        var removed = removals.Where(r => request.DryRun ? IsFree(r.Guard) : TryRemove(r.Path.Path, r.Guard)).Select(r => r.Path).ToList();
        var kept = infos.Where(i => !i.Current && i.Instances.Count > 0).ToList();
        return new PruneReport(removed, kept, removed.Sum(r => r.Bytes));
    }

    private IReadOnlyList<ArtifactInfo> Infos(IReadOnlySet<string> current)
    {
        var plans = InstancePlans();
        return [.. _cache.All().Select(a => Info(a.Kind, a.Key, a.Folder, current, plans))];
    }

    private static ArtifactInfo Info(string kind, string key, string folder, IReadOnlySet<string> current, IReadOnlyList<(string Instance, string Plan)> plans)
    {
        var info = new ArtifactInfo
        {
            Kind = kind,
            Key = key,
            Folder = folder,
            Current = current.Contains($"{kind}/{key}"),
            // A plan names its files by their paths in the cache.
            Instances = [.. plans.Where(p => p.Plan.Contains($"{kind}/{key}", StringComparison.Ordinal)).Select(p => p.Instance).Distinct()],
        };
        try
        {
            return ArtifactCache.Read(folder) is { } record
                ? info with { Version = record.Version, Size = record.Outputs.Sum(o => o.Size), BuiltAt = record.BuiltAt }
                : info with { Size = HostFiles.FolderSize(folder), Fault = ImageFaults.Corrupt(Path.Combine(folder, CacheLayout.RecordFile), "it is missing", setAside: null) };
        }
        catch (FaultException e)
        {
            return info with { Size = HostFiles.FolderSize(folder), Fault = e.Faults[0] };
        }
    }

    private IReadOnlyList<(string Instance, string Plan)> InstancePlans() =>
        [.. from folder in FoldersIn(Path.Combine(_directories.Data, "instances"))
            from name in NamingFiles
            let plan = Path.Combine(folder, name)
            where File.Exists(plan)
            select (Path.GetFileName(folder), File.ReadAllText(plan))];

    // Of every processor: what was built for another one is as current.
    private HashSet<string> CurrentKeys(Keys keys) =>
        [.. Architectures.All.Select(a => a == Architectures.Host ? keys : KeysOf(Facts(a)))
            .SelectMany(k => _catalog.Kinds.Select(k.Plan)).OfType<ArtifactPlan>().Select(p => $"{p.Recipe.Kind}/{p.Key}")];

    private HashSet<string> CurrentKeysOrNone()
    {
        try
        {
            return CurrentKeys(KeysNow());
        }
        catch (FaultException)
        {
            return []; // a list is also of use where the sources are not
        }
    }

    private IEnumerable<PrunedPath> UnusedPackages(PruneRequest request)
    {
        if (!Directory.Exists(_layout.Packages))
            return [];
        var used = Architectures.All.Select(Facts)
            .SelectMany(facts => _catalog.Kinds.Select(_catalog.Get).Select(r => r.Packages(facts.For(r)))).OfType<Debian.PackageRequest>()
            .Select(_locks.Find).OfType<Debian.PackageLock>()
            .SelectMany(l => l.Packages).Select(p => p.Sha256).Concat(Architectures.All.SelectMany(K3sRecipe.Hashes)).ToHashSet(StringComparer.Ordinal);
        return Directory.EnumerateFiles(_layout.Packages)
            .Where(f => request.BuildCaches || !used.Contains(Path.GetFileName(f)))
            .Select(f => Pruned(f, used.Contains(Path.GetFileName(f)) ? "only speeds up later builds" : "no current recipe uses this package"));
    }

    private bool IsFree(string? guard)
    {
        if (guard is null)
            return true;
        using var held = Guard.TryEnter(_layout.Guard(guard));
        return held is not null;
    }

    // What another process is working on right now stays.
    private bool TryRemove(string path, string? guard)
    {
        using var held = guard is null ? null : Guard.TryEnter(_layout.Guard(guard));
        if (guard is not null && held is null)
            return false;
        if (File.Exists(path))
            File.Delete(path);
        else
            HostFiles.DeleteFolder(path);
        return true;
    }

    private static PrunedPath Pruned(string path, string why) => new(path, HostFiles.FreedBytes(path), why);

    private static IEnumerable<string> FoldersIn(string folder) => Directory.Exists(folder) ? Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal) : [];
}
