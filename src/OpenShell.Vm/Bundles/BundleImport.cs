using System.Text.Json;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Bundles;

/// <summary>Puts what a bundle holds into the image cache, as a build would: under the same guards, whole or not at all. What is there already and equal stays as it is.</summary>
public sealed class BundleImport
{
    private readonly ArtifactCache _cache;
    private readonly BundleFile _bundle;
    private readonly IReadOnlyDictionary<string, long> _contents;
    private readonly IProgress<BuildProgress>? _progress;

    // Where an artifact was put, by the name that the bundle has for it.
    private readonly Dictionary<string, string> _places = new(StringComparer.Ordinal);

    private BundleImport(HostDirectories directories, BundleFile bundle, IProgress<BuildProgress>? progress)
    {
        _cache = new ArtifactCache(new CacheLayout(directories.Cache));
        _bundle = bundle;
        _contents = BundleLayout.Read(bundle).Contents;
        _progress = progress;
    }

    /// <summary>Verifies a bundle and imports it; until all of it has been verified, nothing is changed.</summary>
    /// <param name="directories">Whose cache.</param>
    /// <param name="path">Absolute path of the bundle.</param>
    /// <param name="progress">Told how it goes.</param>
    /// <param name="cancellationToken">Gives up; nothing half is left.</param>
    /// <exception cref="FaultException">It is damaged, of a newer format, or for another processor.</exception>
    public static async Task<ImportedBundle> RunAsync(HostDirectories directories, string path, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(directories);
        using var bundle = BundleFile.Open(path);
        if (bundle.Unfit is { } unfit)
            throw new FaultException(unfit);
        var report = await BundleVerifier.VerifyAsync(bundle, progress, cancellationToken).ConfigureAwait(false);
        if (!report.Ok)
            throw new FaultException(report.Faults);
        return await new BundleImport(directories, bundle, progress).ImportAsync(directories, cancellationToken).ConfigureAwait(false);
    }

    private async Task<ImportedBundle> ImportAsync(HostDirectories directories, CancellationToken cancellationToken)
    {
        var artifacts = _bundle.Manifest.Parts.Where(p => p.Artifact is not null).GroupBy(p => p.Artifact!, StringComparer.Ordinal).ToList();
        var records = artifacts.ToDictionary(a => a.Key, a => Record(a.Key, [.. a]), StringComparer.Ordinal);
        foreach (var artifact in artifacts)
            _places[artifact.Key] = await EnsureAsync(records[artifact.Key], [.. artifact], cancellationToken).ConfigureAwait(false);

        var start = _bundle.Manifest.Start;
        var pinned = new PinnedImages
        {
            Bundle = _bundle.Digest,
            Kernel = Place(start.Kernel),
            Initramfs = start.Initramfs is { } initramfs ? Place(initramfs) : null,
            Root = Place(start.Root),
            Gvproxy = Place(start.Gvproxy),
            DistributionVersion = start.DistributionVersion,
            Key = start.ImageSet,
        };
        var workload = new WorkloadConfig { Manifests = Paths(start.Manifests), Images = Paths(start.Images), Charts = Paths(start.Charts) };
        return new ImportedBundle(_bundle.Manifest, pinned, workload);

        string Place(string file) => file.Split('/', 3) is [var kind, var key, var name] ? $"{_places[$"{kind}/{key}"]}/{name}" : throw new InvalidOperationException(file);

        string[] Paths(IReadOnlyList<string> files) => [.. files.Select(f => PinnedImages.PathOf(directories, Place(f)))];
    }

    /// <summary>The record of an artifact; it must speak of just the parts that the bundle has, and its address be what its inputs make.</summary>
    private ArtifactRecord Record(string id, IReadOnlyList<BundlePart> parts)
    {
        var part = parts.FirstOrDefault(p => p.File == CacheLayout.RecordFile) ?? throw Wrong(id, "it has no record");
        var text = new byte[part.Size];
        _bundle.Read(_contents[part.Path], text);
        ArtifactRecord record;
        try
        {
            record = JsonSerializer.Deserialize(text, CacheJson.Default.ArtifactRecord) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw Wrong(id, $"its record cannot be read: {e.Message.TrimEnd('.')}");
        }

        if ($"{record.Kind}/{record.Key}" != id || Keys.Hash(record.Inputs) != record.Key)
            throw Wrong(id, "its record is that of another");
        var files = parts.Where(p => p != part).Select(p => new OutputFile(p.File!, p.Size, p.Sha256)).ToHashSet();
        return files.SetEquals(record.Outputs) ? record : throw Wrong(id, "its record speaks of other files");
    }

    /// <summary>Makes sure that the cache has an artifact; returns where, as <c>KIND/KEY</c>.</summary>
    private async Task<string> EnsureAsync(ArtifactRecord record, IReadOnlyList<BundlePart> parts, CancellationToken cancellationToken)
    {
        var step = new StepReporter(record.Kind, record.Kind, _progress);
        if (await IsThereAsync(record, cancellationToken).ConfigureAwait(false) is false)
        {
            // The same recipe made other bytes on this machine (a compiler's or a file system's doing): both stay, each under an address of its own.
            record = record with { Key = $"{record.Key}-{ContentOf(record)}" };
        }

        var id = $"{record.Kind}/{record.Key}";
        using var guard = await Guard.EnterAsync(
            _cache.Layout.Guard($"{record.Kind}-{record.Key}"), pid => step.State(BuildState.Waiting, $"process {pid} is making it"), cancellationToken).ConfigureAwait(false);
        if (await IsThereAsync(record, cancellationToken).ConfigureAwait(false) is true)
        {
            step.State(BuildState.Cached, record.Version, record.Outputs.Sum(o => o.Size));
            return id;
        }

        if (Directory.Exists(_cache.Layout.Artifact(record.Kind, record.Key)))
            _cache.SetAside(record.Kind, record.Key);
        step.State(BuildState.Started);
        await WriteAsync(record, parts, step, cancellationToken).ConfigureAwait(false);
        step.State(BuildState.Completed, record.Version, record.Outputs.Sum(o => o.Size));
        return id;
    }

    /// <summary>Whether the cache has just this artifact; <see langword="null"/>: none of its address, or one that cannot be used.</summary>
    private async Task<bool?> IsThereAsync(ArtifactRecord record, CancellationToken cancellationToken)
    {
        try
        {
            return _cache.Find(record.Kind, record.Key) is { } known && await _cache.CheckAtUseAsync(known, cancellationToken).ConfigureAwait(false) is null
                ? known.Outputs.ToHashSet().SetEquals(record.Outputs)
                : null;
        }
        catch (FaultException)
        {
            return null; // its record cannot be read: it is set aside
        }
    }

    private static string ContentOf(ArtifactRecord record) =>
        Keys.Hash(record.Outputs.OrderBy(o => o.Name, StringComparer.Ordinal).Select(o => new RecipeInput(o.Name, o.Sha256)))[..12];

    private async Task WriteAsync(ArtifactRecord record, IReadOnlyList<BundlePart> parts, StepReporter step, CancellationToken cancellationToken)
    {
        var needed = record.Outputs.Sum(o => o.Size);
        var free = HostFiles.FreeBytes(_cache.Layout.Root);
        if (free < needed)
            throw ImageFaults.NoSpace(_cache.Layout.Root, needed, free);
        string? folder = null;
        try
        {
            folder = _cache.Begin(record.Kind, record.Key);
            var done = 0L;
            foreach (var part in parts.Where(p => p.File != CacheLayout.RecordFile))
                await ExtractAsync(part, Path.Combine(folder, part.File!), read => step.Running(part.File, (double)(done += read) / Math.Max(1, needed), done), cancellationToken).ConfigureAwait(false);
            await _cache.CommitAsync(
                folder,
                outputs => outputs.ToHashSet().SetEquals(record.Outputs) ? record : throw Wrong($"{record.Kind}/{record.Key}", "it changed while it was read"),
                cancellationToken).ConfigureAwait(false);
        }
        catch (UnauthorizedAccessException e)
        {
            throw ImageFaults.NotWritable(_cache.Layout.Root, e);
        }
        finally
        {
            if (folder is not null)
                HostFiles.DeleteFolder(folder);
        }
    }

    private async Task ExtractAsync(BundlePart part, string path, Action<int> onBytes, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var mode = (UnixFileMode)(part.Executable ? 0b111_101_101 : 0b110_100_100);
        await using var output = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = mode });
        await BundleVerifier.CopyAsync(
            _bundle,
            _contents[part.Path],
            part.Size,
            async bytes =>
            {
                await output.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
                onBytes(bytes.Length);
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static FaultException Wrong(string id, string why) => new(BundleFaults.Damaged($"The bundle's artifact {id} cannot be used: {why}."));
}

/// <summary>A bundle that is in the image cache.</summary>
/// <param name="Manifest">What it holds.</param>
/// <param name="Images">What a start from it runs on.</param>
/// <param name="Workload">What the cluster is given along: absolute paths in the cache.</param>
public sealed record ImportedBundle(BundleManifest Manifest, PinnedImages Images, WorkloadConfig Workload)
{
    /// <summary>The configuration, started from this bundle; what the user gives along comes after what the bundle has.</summary>
    public InstanceConfig Apply(InstanceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var isCluster = config.Mode == Protocol.Messages.GuestMode.Cluster;
        var own = config.Workload ?? new WorkloadConfig();
        var workload = new WorkloadConfig
        {
            Manifests = [.. Workload.Manifests, .. own.Manifests],
            Images = [.. Workload.Images, .. own.Images],
            Charts = [.. Workload.Charts, .. own.Charts],
        };
        return config with
        {
            Pinned = Images,
            Distribution = isCluster ? Manifest.Start.Distribution : null,
            Workload = isCluster && workload.Manifests.Count + workload.Images.Count + workload.Charts.Count > 0 ? workload : null,
        };
    }
}
