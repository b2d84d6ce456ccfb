using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Debian;

namespace OpenShell.Vm.Images.Building;

/// <summary>What a recipe has at hand while it builds.</summary>
internal sealed class BuildContext(CacheLayout layout, RecipeFacts facts, Locks locks, IReadOnlyDictionary<string, ArtifactRecord> needs)
{
    private readonly List<string> _notes = [];
    private readonly List<RestoredPackage> _restored = [];

    /// <summary>Where the artifact's files are to be made. Nobody sees them before they are all there.</summary>
    public required string Folder { get; init; }

    /// <summary>Runs tools.</summary>
    public required Tools Tools { get; init; }

    /// <summary>Tells how it goes.</summary>
    public required StepReporter Progress { get; init; }

    public RecipeFacts Facts { get; } = facts;

    public SourceTree Source => Facts.Source;

    /// <summary>Downloaded packages.</summary>
    public PackageStore Store { get; } = new(layout);

    /// <summary>What was decided, for the provenance.</summary>
    public IReadOnlyList<string> Notes => _notes;

    /// <summary>Packages of NuGet that were restored; <see langword="null"/>: nothing of .NET was compiled.</summary>
    public IReadOnlyList<RestoredPackage>? Restored => _restored.Count > 0 ? _restored : null;

    /// <summary>Absolute path of a file to make.</summary>
    public string Output(string name) => Path.Combine(Folder, name);

    /// <summary>Absolute path of a file of an artifact that goes in.</summary>
    public string Input(string kind, string name) => Path.Combine(layout.Artifact(kind, needs[kind].Key), name);

    /// <summary>The record of an artifact that goes in.</summary>
    public ArtifactRecord Need(string kind) => needs[kind];

    /// <summary>The packages that this recipe was resolved to.</summary>
    public PackageLock Locked(Recipe recipe) => locks.Find(recipe.Packages(Facts)!)!;

    /// <summary>The framework that .NET code is compiled for.</summary>
    public ToolchainLock Toolchain => locks.FindToolchain(Facts)!;

    /// <summary>A folder for scratch files of this build alone; it goes when the build ends.</summary>
    public string Scratch(string name)
    {
        var folder = Path.Combine(Folder, "..", "scratch-" + Path.GetFileName(Folder), name);
        Directory.CreateDirectory(folder);
        return Path.GetFullPath(folder);
    }

    /// <summary>A folder that survives the build and makes the next one faster, for this process alone until the guard is disposed.</summary>
    public async Task<(string Folder, Guard Guard)> EnterWorkAsync(string name, CancellationToken cancellationToken)
    {
        var guard = await Guard.EnterAsync(
            layout.Guard("work-" + name), pid => Progress.State(BuildState.Waiting, $"process {pid} is using the same build folder"), cancellationToken).ConfigureAwait(false);
        var folder = layout.WorkFolder(name);
        Directory.CreateDirectory(folder);
        return (folder, guard);
    }

    /// <summary>Unpacks a downloaded Debian package's files into a folder, without its scripts.</summary>
    public Task UnpackAsync(PinnedPackage package, string folder, CancellationToken cancellationToken) =>
        Tools.RunAsync(new ToolCommand { Program = "dpkg-deb", Arguments = ["--extract", Store.PathOf(package), folder] }, cancellationToken);

    /// <summary>Fetches a file over HTTP into the cache, where it stays for other builds.</summary>
    public Task<string> FetchAsync(Downloads.Download download, Action<long, long?> onProgress, CancellationToken cancellationToken) =>
        new Downloads.Downloader(layout).FetchAsync(download, onProgress, cancellationToken);

    /// <summary>Something for the provenance.</summary>
    public void Note(string text) => _notes.Add(text);

    /// <summary>Packages of NuGet, for the provenance.</summary>
    public void NoteRestored(IEnumerable<RestoredPackage> packages) => _restored.AddRange(packages);
}
