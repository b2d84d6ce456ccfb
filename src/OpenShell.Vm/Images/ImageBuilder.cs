using System.Runtime.InteropServices;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

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
        var keys = KeysNow();
        foreach (var kinds in Choices(request))
        {
            var records = kinds.Select(k => keys.Plan(k) is { } plan ? _cache.Find(k, plan.Key) : null).ToList();
            if (records.Contains(null))
                continue;
            foreach (var record in records)
            {
                if (await _cache.CheckAtUseAsync(record!, cancellationToken).ConfigureAwait(false) is { } fault)
                    throw new FaultException(fault);
            }

            return Set(records!);
        }

        return null;
    }

    /// <inheritdoc/>
    public async Task<ImageSet> EnsureAsync(ImageRequest request, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        CheckWritable();
        var kinds = request.Refresh ? Choices(request)[^1] : WantedOf(request);

        // Not an image, but what comes from the same mirrors: so that a start after this needs no network.
        var tools = RuntimeTools.FindGvproxy(_directories) is null && _catalog.Kinds.Contains(GvproxyRecipe.Name) ? (string[])[GvproxyRecipe.Name] : [];
        return Set(await EnsureKindsAsync([.. kinds, .. tools], request.Refresh, request.Repair, progress, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Builds or finds artifacts by kind.</summary>
    internal async Task<IReadOnlyList<ArtifactRecord>> EnsureKindsAsync(
        IReadOnlyList<string> kinds, bool refresh, bool repair, IProgress<BuildProgress>? progress, CancellationToken cancellationToken)
    {
        var facts = Facts();
        await new Resolution(_layout, facts, _locks, progress).EnsureAsync(_catalog.Closure(kinds), refresh, cancellationToken).ConfigureAwait(false);
        var session = new BuildSession(_cache, facts, _locks, new Keys(_catalog, facts, _locks), progress, repair);
        var tasks = kinds.Select(k => session.GetAsync(k, cancellationToken)).ToList();
        await Task.WhenAll(tasks).ConfigureAwait(false);
        return [.. tasks.Select(t => t.Result)];
    }

    internal static string HostArchitecture => RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64";

    private RecipeFacts Facts() => new(_source ?? SourceTree.Locate(), HostArchitecture);

    private Keys KeysNow() => new(_catalog, Facts(), _locks);

    /// <summary>Kinds of all the artifacts that would be built for a request where nothing is in the cache.</summary>
    internal static IReadOnlyList<string> KindsFor(ImageRequest request) => [.. RecipeCatalog.Default.Closure(Choices(request)[^1]).Select(r => r.Kind)];

    /// <summary>The sets of artifacts that serve a request, best first; the last is the one that is built where none is there.</summary>
    private static IReadOnlyList<IReadOnlyList<string>> Choices(ImageRequest request)
    {
        if (request.Distribution is not (null or "upstream"))
        {
            throw ImageFaults.Make(
                "image.distribution-unknown", $"There is no recipe for the distribution '{request.Distribution}'.", "Use --distribution upstream.");
        }

        string[] cluster = [KernelRecipe.Name, InitramfsRecipe.Name, RootRecipe.ClusterName];
        string[] program = [KernelRecipe.Name, InitramfsRecipe.Name, RootRecipe.ProgramName];
        return request.Mode == GuestMode.Cluster ? [cluster] : [cluster, program];
    }

    private IReadOnlyList<string> WantedOf(ImageRequest request)
    {
        var keys = KeysNow();
        var choices = Choices(request);
        return choices.FirstOrDefault(kinds => kinds.All(k => keys.Plan(k) is { } plan && _cache.Find(k, plan.Key) is not null)) ?? choices[^1];
    }

    private ImageSet Set(IReadOnlyList<ArtifactRecord> records) => new()
    {
        Kernel = _cache.FileOf(records[0].Kind, records[0].Key, KernelRecipe.Image),
        Initramfs = _cache.FileOf(records[1].Kind, records[1].Key, InitramfsRecipe.Archive),
        Root = _cache.FileOf(records[2].Kind, records[2].Key, RootRecipe.Image),
        Key = Keys.Hash(records.Select(r => new RecipeInput(r.Kind, r.Key))),
    };

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
