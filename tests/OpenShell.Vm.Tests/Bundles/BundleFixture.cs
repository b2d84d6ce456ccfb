using OpenShell.Vm.Bundles;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Images.Building;

namespace OpenShell.Vm.Tests.Bundles;

/// <summary>Small artifacts, built by the real builder, and bundles of them.</summary>
internal sealed class BundleFixture : IDisposable
{
    public ImageFixture Images { get; } = new([.. TestRecipe.Set(), new TestRecipe(GvproxyRecipe.Name, GvproxyRecipe.Program)]);

    /// <summary>A manifest and an archive: they are only carried here, nobody reads them.</summary>
    public WorkloadConfig Workload => new()
    {
        Manifests = [Images.Folder.Write("given/first.yaml", "kind: Namespace\n"), Images.Folder.Write("other/first.yaml", "kind: Pod\n")],
        Images = [Images.Folder.Write("given/an image with a long name.tar", new string('i', 5000))],
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public string File(string name) => Images.Folder.File(name);

    /// <summary>A bundle of what the builder makes.</summary>
    public async Task<CreatedBundle> CreateAsync(string name = "good.tar", WorkloadConfig? workload = null)
    {
        var set = await SetAsync();
        return await new BundleCreator(Images.Directories, Images.Builder())
            .CreateAsync(new BundleRequest { CreatedBy = "test 1.2.3", Workload = workload ?? Workload }, set, await GvproxyAsync(), File(name), null, Token);
    }

    public Task<ImageSet> SetAsync() => Images.Builder().EnsureAsync(new ImageRequest { Mode = GuestMode.Cluster }, null, Token);

    /// <summary>Folders of a user with another, empty cache.</summary>
    public HostDirectories Elsewhere(string name = "elsewhere") => Images.Directories with { Cache = File(name) };

    public static async Task<BundleReport> VerifyAsync(string path)
    {
        using var bundle = BundleFile.Open(path);
        return await BundleVerifier.VerifyAsync(bundle, null, Token);
    }

    /// <summary>Every file below a folder with its content.</summary>
    public static IReadOnlyDictionary<string, string> Tree(string folder) => !Directory.Exists(folder)
        ? new Dictionary<string, string>()
        : Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/guards/", StringComparison.Ordinal) && Path.GetFileName(f) != CacheLayout.StampsFile)
            .ToDictionary(f => Path.GetRelativePath(folder, f), System.IO.File.ReadAllText);

    public void Dispose() => Images.Dispose();

    private async Task<string> GvproxyAsync()
    {
        var record = (await Images.Builder().EnsureKindsAsync([GvproxyRecipe.Name], false, false, null, Token))[0];
        return new ArtifactCache(Images.Layout).FileOf(GvproxyRecipe.Name, record.Key, GvproxyRecipe.Program);
    }
}
