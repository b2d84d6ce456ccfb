using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Images;

/// <summary>Builds images without Docker, from Debian's packages and this repository's sources, into a content-addressed cache.</summary>
public sealed partial class ImageBuilder : IImages
{
    private readonly HostDirectories _directories;
    private readonly CacheLayout _layout;
    private readonly ArtifactCache _cache;
    private readonly Locks _locks;
    private readonly RecipeCatalog _catalog;
    private readonly SourceTree? _source;

    /// <summary>A builder whose cache is <see cref="HostDirectories.Cache"/> and whose sources are found from where this program is.</summary>
    public ImageBuilder(HostDirectories directories)
        : this(directories, RecipeCatalog.Default, source: null)
    {
    }

    internal ImageBuilder(HostDirectories directories, RecipeCatalog catalog, SourceTree? source)
    {
        ArgumentNullException.ThrowIfNull(directories);
        _directories = directories;
        _catalog = catalog;
        _source = source;
        _layout = new CacheLayout(directories.Cache);
        _cache = new ArtifactCache(_layout);
        _locks = new Locks(_layout);
    }

    /// <inheritdoc/>
    public async Task<ImageSet?> FindAsync(ImageRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var facts = await FactsAsync(request, cancellationToken).ConfigureAwait(false);
        foreach (var parts in ImageParts.Choices(request))
        {
            var keys = KeysOf(parts.In(facts));
            var records = parts.Kinds.Select(k => keys.Plan(k) is { } plan ? _cache.Find(k, plan.Key) : null).ToList();
            if (records.Contains(null))
                continue;
            foreach (var record in records)
            {
                if (await _cache.CheckAtUseAsync(record!, cancellationToken).ConfigureAwait(false) is { } fault)
                    throw new FaultException(fault);
            }

            return await SetAsync(parts, records!, keys, cancellationToken).ConfigureAwait(false);
        }

        return null;
    }

    /// <inheritdoc/>
    public async Task<ImageSet> EnsureAsync(ImageRequest request, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        CheckWritable();
        var facts = await FactsAsync(request, cancellationToken).ConfigureAwait(false);
        var parts = request.Refresh ? ImageParts.Choices(request)[^1] : WantedOf(request, facts);
        facts = parts.In(facts);

        // Not an image, but what comes from the same mirrors: so that a start after this needs no network.
        var tools = RuntimeTools.FindGvproxy(_directories) is null && _catalog.Kinds.Contains(GvproxyRecipe.Name) ? (string[])[GvproxyRecipe.Name] : [];
        IReadOnlyList<string> kinds = [.. parts.Kinds, .. parts.Besides, .. tools];
        IReadOnlyList<ArtifactRecord> records;
        try
        {
            records = await EnsureKindsAsync(facts, kinds, request.Refresh, request.Repair, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (FaultException e) when (facts.IsForeign && e.Faults[0].Code == MissingPack.Code)
        {
            throw await WithTheRestAsync(e, facts, kinds, request, progress, cancellationToken).ConfigureAwait(false);
        }

        return await SetAsync(parts, records, KeysOf(facts), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Builds all that needs no .NET for another processor, where that cannot be had; the fault then says so.</summary>
    private async Task<FaultException> WithTheRestAsync(
        FaultException missing, RecipeFacts facts, IReadOnlyList<string> kinds, ImageRequest request, IProgress<BuildProgress>? progress, CancellationToken cancellationToken)
    {
        var rest = _catalog.Closure(kinds).Where(r => !_catalog.Closure([r.Kind]).Any(need => need.CompilesDotNet)).Select(r => r.Kind).ToList();
        await EnsureKindsAsync(facts, rest, refresh: false, request.Repair, progress, cancellationToken).ConfigureAwait(false);
        return new FaultException(missing.Faults[0] with { What = $"{missing.Faults[0].What} Everything else was built: {string.Join(", ", rest)}." }, missing);
    }

    /// <inheritdoc/>
    public async Task<KernelImage> EnsureKernelAsync(string? architecture = null, bool refresh = false, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        CheckWritable();
        var kind = KernelImage.KindOf(architecture);
        var record = (await EnsureKindsAsync([kind], refresh, repair: true, progress, cancellationToken).ConfigureAwait(false))[0];
        return new KernelImage
        {
            Version = record.Version,
            Key = record.Key,
            Kernel = _cache.FileOf(kind, record.Key, CustomKernelRecipe.Image),
            Configuration = _cache.FileOf(kind, record.Key, CustomKernelRecipe.Configuration),
            Firmware = _cache.FileOf(kind, record.Key, CustomKernelRecipe.Firmware),
            Provenance = _cache.FileOf(kind, record.Key, CacheLayout.RecordFile),
        };
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<KernelColumn>> KernelsAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        CheckWritable();
        string[] kinds = [KernelRecipe.Name, KernelImage.KindOf(null)];
        var records = await EnsureKindsAsync(kinds, refresh: false, repair: true, progress, cancellationToken).ConfigureAwait(false);
        return
        [
            new KernelColumn($"Debian {await ReleaseAsync(0).ConfigureAwait(false)}", await ConfigurationAsync(0).ConfigureAwait(false)),
            new KernelColumn($"ours {await ReleaseAsync(1).ConfigureAwait(false)}", await ConfigurationAsync(1).ConfigureAwait(false)),
        ];

        async Task<string> ReleaseAsync(int at) => (await ReadAsync(at, KernelRecipe.Release).ConfigureAwait(false)).Trim();

        async Task<KernelConfiguration> ConfigurationAsync(int at) => KernelConfiguration.Parse(await ReadAsync(at, KernelRecipe.Configuration).ConfigureAwait(false));

        Task<string> ReadAsync(int at, string file) => File.ReadAllTextAsync(_cache.FileOf(kinds[at], records[at].Key, file), cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<KernelColumn> StockKernelAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        CheckWritable();
        var record = (await EnsureKindsAsync([StockFirmwareRecipe.Name], refresh: false, repair: true, progress, cancellationToken).ConfigureAwait(false))[0];
        var library = _cache.FileOf(StockFirmwareRecipe.Name, record.Key, StockFirmwareRecipe.Library);
        try
        {
            // The version is the package's, then whose it is.
            return KernelColumn.OfFile($"libkrunfw {record.Version.Split(' ')[0]}", library);
        }
        catch (InvalidDataException e)
        {
            throw new FaultException(
                new Fault { Code = "kernel.symbols-unreadable", Stage = BootStages.Image, What = $"{library} does not tell what its kernel can do: {e.Message}.", Remedy = "Compare with the configuration that it was built with: 'gateway kernel compare NAME=FILE'." },
                e);
        }
    }

    /// <summary>Builds or finds artifacts by kind.</summary>
    internal Task<IReadOnlyList<ArtifactRecord>> EnsureKindsAsync(
        IReadOnlyList<string> kinds, bool refresh, bool repair, IProgress<BuildProgress>? progress, CancellationToken cancellationToken) =>
        EnsureKindsAsync(Facts(), kinds, refresh, repair, progress, cancellationToken);

    /// <summary>Absolute path of a file of an artifact.</summary>
    internal string FileOf(ArtifactRecord artifact, string name) => _cache.FileOf(artifact.Kind, artifact.Key, name);

    private async Task<IReadOnlyList<ArtifactRecord>> EnsureKindsAsync(
        RecipeFacts facts, IReadOnlyList<string> kinds, bool refresh, bool repair, IProgress<BuildProgress>? progress, CancellationToken cancellationToken)
    {
        await new Resolution(_layout, facts, _locks, progress).EnsureAsync(CatalogOf(facts).Closure(kinds), refresh, cancellationToken).ConfigureAwait(false);
        var session = new BuildSession(_cache, facts, _locks, KeysOf(facts), progress, repair);
        var tasks = kinds.Select(k => session.GetAsync(k, cancellationToken)).ToList();
        await Task.WhenAll(tasks).ConfigureAwait(false);
        return [.. tasks.Select(t => t.Result)];
    }

    private RecipeFacts Facts(string? architecture = null) => new(_source ?? SourceTree.Locate(), architecture ?? Architectures.Host);

    private async Task<RecipeFacts> FactsAsync(ImageRequest request, CancellationToken cancellationToken)
    {
        var facts = Facts(request.Architecture);
        if (request is { K3sBinary: { } binary, Distribution: Distributions.K3s.DistributionName })
            facts = facts with { K3s = await GivenK3s.ReadAsync(binary, facts.Architecture, cancellationToken).ConfigureAwait(false) };
        if (request.BaseImage is { } image)
            facts = facts with { Base = await Registry.BaseImage.ReadAsync(image, facts.Architecture, _layout, cancellationToken).ConfigureAwait(false) };
        return facts;
    }

    private Keys KeysNow() => KeysOf(Facts());

    private Keys KeysOf(RecipeFacts facts) => new(CatalogOf(facts), facts, _locks);

    private RecipeCatalog CatalogOf(RecipeFacts facts) => facts.Base is null ? _catalog : _catalog.OnBaseImage();

    /// <summary>Kinds of all the artifacts that would be built for a request where nothing is in the cache.</summary>
    internal static IReadOnlyList<string> KindsFor(ImageRequest request) =>
        [.. RecipeCatalog.Default.Closure(ImageParts.Choices(request)[^1].Kinds).Select(r => r.Kind)];

    private ImageParts WantedOf(ImageRequest request, RecipeFacts facts)
    {
        var choices = ImageParts.Choices(request);
        return choices.FirstOrDefault(parts => KeysOf(parts.In(facts)) is var keys && parts.Kinds.All(k => keys.Plan(k) is { } plan && _cache.Find(k, plan.Key) is not null)) ?? choices[^1];
    }

    private async Task<ImageSet> SetAsync(ImageParts parts, IReadOnlyList<ArtifactRecord> records, Keys keys, CancellationToken cancellationToken)
    {
        var made = parts.Distribution is { } distribution && _catalog.Kinds.Contains(distribution) && keys.Plan(distribution) is { } plan ? _cache.Find(distribution, plan.Key) : null;
        return new ImageSet
        {
            Kernel = parts.KernelFile ?? PathOf(parts.Kernel!, KernelRecipe.Image),
            Initramfs = parts.Initramfs is { } initramfs ? PathOf(initramfs, InitramfsRecipe.Archive) : null,
            Root = PathOf(parts.Root, RootRecipe.Image),
            Key = await SetKeyAsync(parts, [.. records.Take(parts.Kinds.Count()).Select(record => record.Key)], cancellationToken).ConfigureAwait(false),
            Distribution = made is null ? null : FileOf(made, made.Kind == K3sRecipe.Name ? K3sRecipe.Program : KubernetesRecipe.Program),
            DistributionVersion = made is null ? null : made.Kind == KubernetesRecipe.Name ? "Kubernetes " + made.Version : made.Version,
        };

        string PathOf(string kind, string name) => _cache.FileOf(kind, records[parts.Kinds.ToList().IndexOf(kind)].Key, name);
    }

    /// <summary>The content address of a whole set, by those of its parts.</summary>
    private static async Task<string> SetKeyAsync(ImageParts parts, IReadOnlyList<string> keys, CancellationToken cancellationToken)
    {
        var inputs = parts.Kinds.Select((kind, i) => new RecipeInput(kind, keys[i])).ToList();
        if (parts.KernelFile is { } file)
            inputs.Insert(0, new RecipeInput("kernel file", await HostFiles.Sha256Async(Existing(file), cancellationToken).ConfigureAwait(false)));
        return Keys.Hash(inputs);
    }

    private static string Existing(string kernel) => File.Exists(kernel)
        ? kernel
        : throw ImageFaults.Make("image.kernel-missing", $"There is no kernel {kernel}.", "Give --kernel the path of a vmlinux, or one of the names debian and custom.");

    private void CheckWritable()
    {
        try
        {
            Directory.CreateDirectory(_layout.Root);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw ImageFaults.NotWritable(_layout.Root, e);
        }
    }
}
