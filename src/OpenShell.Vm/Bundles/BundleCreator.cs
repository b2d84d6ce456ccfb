using OpenShell.Vm.Bundles.Sbom;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Bundles;

/// <summary>Makes a bundle of what a start needs: everything out of the image cache, built first where it is missing, and the workload.</summary>
public sealed class BundleCreator(HostDirectories directories, IImages images)
{
    private const string CommandName = "gateway";

    private readonly ArtifactCache _cache = new(new CacheLayout(directories.Cache));

    /// <summary>Makes it.</summary>
    /// <param name="request">What it is to start.</param>
    /// <param name="path">Absolute path of the file; one that is there is replaced, when the new one is whole.</param>
    /// <param name="progress">Told how it goes.</param>
    /// <param name="cancellationToken">Gives up; no file is left.</param>
    /// <exception cref="FaultException">What is given along cannot be used, something cannot be built, or the file cannot be written.</exception>
    public async Task<CreatedBundle> CreateAsync(BundleRequest request, string path, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        Check(request, path);
        var set = await images.EnsureAsync(ImagesOf(request), progress, cancellationToken).ConfigureAwait(false);
        var gvproxy = await RuntimeTools.EnsureCachedGvproxyAsync(directories, progress, cancellationToken).ConfigureAwait(false);
        return await CreateAsync(request, set, gvproxy, path, progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds what is wrong with a request, before anything is built for it.</summary>
    /// <exception cref="FaultException">All of it.</exception>
    public static void Check(BundleRequest request, string path)
    {
        ArgumentNullException.ThrowIfNull(request);
        Fault[] faults = [.. InstanceValidator.DistributionFaults(ConfigOf(request)), .. TargetFaults(path), .. DeliveryFiles.Faults(ConfigOf(request)), .. GivenK3s.Faults(ConfigOf(request))];
        if (faults.Length > 0)
            throw new FaultException(faults);
    }

    /// <summary>The bill of materials of the images that a cluster starts from, as SPDX in JSON; builds what is missing.</summary>
    public async Task<byte[]> BillOfImagesAsync(BundleRequest request, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var set = await images.EnsureAsync(ImagesOf(request), progress, cancellationToken).ConfigureAwait(false);
        var gvproxy = await RuntimeTools.EnsureCachedGvproxyAsync(directories, progress, cancellationToken).ConfigureAwait(false);
        var artifacts = await ArtifactsAsync(set, gvproxy, cancellationToken).ConfigureAwait(false);
        return Bill(request, "images", artifacts, null).Bytes();
    }

    /// <summary>Makes it of artifacts that are there.</summary>
    internal async Task<CreatedBundle> CreateAsync(BundleRequest request, ImageSet set, string gvproxy, string path, IProgress<BuildProgress>? progress, CancellationToken cancellationToken)
    {
        var step = new StepReporter("bundle", "Bundle", progress);
        step.State(BuildState.Started);
        var artifacts = await ArtifactsAsync(set, gvproxy, cancellationToken).ConfigureAwait(false);
        var start = StartOf(request, set, gvproxy, artifacts);
        if (await WorkloadAsync(request, cancellationToken).ConfigureAwait(false) is { } workload)
        {
            artifacts.Add(workload);
            start = start with { Manifests = FilesOf(workload, "manifests"), Images = FilesOf(workload, "images"), Charts = FilesOf(workload, "charts") };
        }

        var command = request.CommandFolder is { } folder ? CommandFiles.Find(folder, CommandName) : null;
        List<BundleSource> sources =
        [
            BundleSource.Of("bill of materials", BundleNames.Sbom, Bill(request, "bundle", artifacts, command).Bytes(), "SPDX 2.3"),
            .. Ingredients(artifacts).Select(r => BundleSource.Of($"{r.Kind}: provenance", BundleNames.Provenance($"{r.Kind}/{r.Key}"), BundleSource.Json(r), r.Version)),
            .. await CommandAsync(command, request, cancellationToken).ConfigureAwait(false),
            .. artifacts.SelectMany(BundleSource.Of),
        ];
        var manifest = new BundleManifest
        {
            FormatVersion = BundleManifest.CurrentFormat,
            CreatedBy = request.CreatedBy,
            Architecture = Architectures.Host,
            Start = start,
            Requirements = [.. HostPackages.All.Where(p => p.NeededFor.Contains(HostPackages.Run)).Select(p => new BundleRequirement(p.Name, p.MinimumVersion, p.Suite, p.Why))],
            Parts = [.. sources.Select(s => s.Part)],
        };
        var digest = await WriteAsync(path, manifest, sources, step, cancellationToken).ConfigureAwait(false);
        var bytes = new FileInfo(path).Length;
        step.State(BuildState.Completed, bytes: bytes);
        return new CreatedBundle(path, digest, bytes, manifest);
    }

    private static async Task<string> WriteAsync(string path, BundleManifest manifest, List<BundleSource> sources, StepReporter step, CancellationToken cancellationToken)
    {
        try
        {
            return await BundleWriter.WriteAsync(path, manifest, sources, step, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new FaultException(BundleFaults.Make("not-writable", $"{path} cannot be written: {e.Message.TrimEnd('.')}.", "Give a path in a folder that you can write, on a disk with room."), e);
        }
    }

    /// <summary>The artifacts of a set, each once; one file may be of the user's.</summary>
    private static async Task<List<BundledArtifact>> ArtifactsAsync(ImageSet set, string gvproxy, CancellationToken cancellationToken)
    {
        var artifacts = new List<BundledArtifact>();
        foreach (var file in new[] { set.Kernel, set.Initramfs, set.Root, gvproxy }.OfType<string>())
        {
            var artifact = BundledArtifact.Of(file)
                ?? await BundledArtifact.MakeAsync(file == set.Kernel ? BundledArtifact.KernelFileKind : "file", Path.GetFileName(file), [(file == set.Kernel ? "kernel" : Path.GetFileName(file), file)], cancellationToken).ConfigureAwait(false);
            if (artifacts.All(a => a.Id != artifact.Id))
                artifacts.Add(artifact);
        }

        return artifacts;
    }

    private static BundleStart StartOf(BundleRequest request, ImageSet set, string gvproxy, List<BundledArtifact> artifacts)
    {
        return new BundleStart
        {
            ImageSet = set.Key,
            Distribution = request.EffectiveDistribution,
            DistributionVersion = set.DistributionVersion,
            Kernel = FileOf(set.Kernel),
            Initramfs = set.Initramfs is { } initramfs ? FileOf(initramfs) : null,
            Root = FileOf(set.Root),
            Gvproxy = FileOf(gvproxy),
        };

        string FileOf(string path) => artifacts
            .SelectMany(a => a.Record.Outputs.Select(o => (File: $"{a.Id}/{o.Name}", Path: a.PathOf(o.Name))))
            .First(f => f.Path == path).File;
    }

    private static async Task<BundledArtifact?> WorkloadAsync(BundleRequest request, CancellationToken cancellationToken)
    {
        var config = ConfigOf(request);
        List<(string, string)> files =
        [
            .. Numbered("manifests", DeliveryFiles.Manifests(config)),
            .. Numbered("images", DeliveryFiles.Images(config)),
            .. Numbered("charts", DeliveryFiles.Charts(config)),
        ];
        return files.Count == 0 ? null : await BundledArtifact.MakeAsync(BundledArtifact.WorkloadKind, "given along", files, cancellationToken).ConfigureAwait(false);

        // Two folders may have a file of the same name, and the order is theirs.
        static IEnumerable<(string, string)> Numbered(string folder, IReadOnlyList<string> paths) => paths.Select((path, i) => ($"{folder}/{i:000}/{SafeName(path)}", path));
    }

    // What a name may hold is the user's affair; only its ending means something.
    private static string SafeName(string path) => BundleNames.IsSafe(Path.GetFileName(path)) ? Path.GetFileName(path) : "file" + Path.GetExtension(path);

    private static string[] FilesOf(BundledArtifact workload, string folder) =>
        [.. workload.Record.Outputs.Where(o => o.Name.StartsWith(folder + "/", StringComparison.Ordinal)).Select(o => $"{workload.Id}/{o.Name}")];

    private static async Task<IReadOnlyList<BundleSource>> CommandAsync(CommandFiles? command, BundleRequest request, CancellationToken cancellationToken)
    {
        var sources = new List<BundleSource>();
        foreach (var (name, path) in command?.Files ?? [])
        {
            var part = new BundlePart
            {
                Name = $"command: {name}",
                Path = $"{BundleNames.Command}/{name}",
                Size = new FileInfo(path).Length,
                Sha256 = await HostFiles.Sha256Async(path, cancellationToken).ConfigureAwait(false),
                From = command!.IsNative ? request.CreatedBy : $"{request.CreatedBy}; needs the runtime of .NET {command.Runtime}",
                Executable = name == CommandName,
            };
            sources.Add(new BundleSource(part, path, null));
        }

        return sources;
    }

    private BillOfMaterials Bill(BundleRequest request, string name, List<BundledArtifact> artifacts, CommandFiles? command) =>
        new(name, Architectures.Host, request.CreatedBy, [.. artifacts.Select(a => a.Record)], Ingredients(artifacts), command);

    /// <summary>Records of everything that went into the artifacts, and into that.</summary>
    private List<ArtifactRecord> Ingredients(IReadOnlyList<BundledArtifact> artifacts)
    {
        var found = new Dictionary<string, ArtifactRecord>(StringComparer.Ordinal);
        var own = artifacts.Select(a => a.Id).ToHashSet(StringComparer.Ordinal);
        var pending = new Queue<ArtifactRecord>(artifacts.Select(a => a.Record));
        while (pending.TryDequeue(out var record))
        {
            foreach (var id in ArtifactIngredients.Of(record).Where(id => !own.Contains(id) && !found.ContainsKey(id)))
            {
                var words = id.Split('/');
                var ingredient = _cache.Find(words[0], words[1]) ?? throw new FaultException(BundleFaults.Make(
                    "provenance-missing", $"The image cache no longer knows of what {record.Kind}/{record.Key} was made: {id} is not there.", $"Run '{ImageFaults.BuildCommand}' to make it again, then the same command."));
                found[id] = ingredient;
                pending.Enqueue(ingredient);
            }
        }

        return [.. found.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => f.Value)];
    }

    private static InstanceConfig ConfigOf(BundleRequest request) =>
        new() { Name = InstanceName.Default, Distribution = request.EffectiveDistribution, K3sBinary = request.K3sBinary, BaseImage = request.BaseImage, Kernel = request.Kernel, Workload = request.Workload };

    private static ImageRequest ImagesOf(BundleRequest request) => ImageRequest.For(ConfigOf(request));

    private static Fault[] TargetFaults(string path)
    {
        var folder = Path.GetDirectoryName(path);
        return Directory.Exists(path) || !Directory.Exists(folder)
            ? [BundleFaults.Make("no-folder", Directory.Exists(path) ? $"{path} is a folder." : $"There is no folder {folder}.", "Give the path of a file in a folder that is there.") with { IsUsage = true }]
            : [];
    }
}
