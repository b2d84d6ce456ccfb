using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Tests.Images.Building;

/// <summary>A builder over a temporary cache and a temporary source tree.</summary>
internal sealed class ImageFixture : IDisposable
{
    public ImageFixture(IReadOnlyList<TestRecipe>? recipes = null)
    {
        Recipes = recipes ?? TestRecipe.Set();
        Folder.Write("source/OpenShell.Vm.slnx", "");
        Folder.Write("source/recipe", "first");
    }

    public TemporaryFolder Folder { get; } = new();

    public IReadOnlyList<TestRecipe> Recipes { get; }

    public HostDirectories Directories => Folder.Directories;

    public CacheLayout Layout => new(Directories.Cache);

    /// <summary>A builder as another process would have it: nothing shared but the disk.</summary>
    /// <param name="hypervisor">The hash of the host's; the real one's where it is not given.</param>
    public ImageBuilder Builder(string? hypervisor = null) =>
        new(Directories, new RecipeCatalog(Recipes), new SourceTree(Folder.File("source"))) { HypervisorSha256 = hypervisor is null ? null : (_, _) => Task.FromResult<string?>(hypervisor) };

    public void Dispose() => Folder.Dispose();
}

/// <summary>Keeps every report, in order.</summary>
internal sealed class Reports : IProgress<BuildProgress>
{
    private readonly List<BuildProgress> _all = [];

    public IReadOnlyList<BuildProgress> All
    {
        get
        {
            lock (_all)
                return [.. _all];
        }
    }

    public void Report(BuildProgress value)
    {
        lock (_all)
            _all.Add(value);
    }
}
