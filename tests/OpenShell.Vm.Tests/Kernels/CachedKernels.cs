using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Tests.Kernels;

/// <summary>Files of kernels that were built or fetched before; a test that needs one and does not find it is skipped, and says so.</summary>
internal static class CachedKernels
{
    public static string Custom(string file) => File(KernelImage.KindOf(null), file, "'gateway kernel build' makes it, in some 20 minutes");

    public static string Debian(string file) => File(KernelRecipe.Name, file, "'gateway image build' fetches it");

    /// <summary>Debian's libkrunfw, fetched from unstable where it is not in the cache.</summary>
    public static async Task<string> StockAsync()
    {
        var directories = HostDirectories.FromEnvironment();
        try
        {
            var records = await new ImageBuilder(directories).EnsureKindsAsync([StockFirmwareRecipe.Name], refresh: false, repair: true, null, TestContext.Current.CancellationToken);
            return new ArtifactCache(new CacheLayout(directories.Cache)).FileOf(StockFirmwareRecipe.Name, records[0].Key, StockFirmwareRecipe.Library);
        }
        catch (FaultException e) when (e.Faults[0].Code is "image.mirror-unreachable" or "image.package-unresolved" or "image.no-debian-mirror")
        {
            Assert.Skip($"Debian's libkrunfw cannot be fetched here: {e.Faults[0].What}");
            throw;
        }
    }

    private static string File(string kind, string file, string remedy)
    {
        var layout = new CacheLayout(HostDirectories.FromEnvironment().Cache);
        var facts = new RecipeFacts(SourceTree.Locate(), Architectures.Host);
        var plan = new Keys(RecipeCatalog.Default, facts, new Locks(layout)).Plan(kind);
        var path = plan is null ? null : new ArtifactCache(layout).FileOf(kind, plan.Key, file);
        if (!System.IO.File.Exists(path))
            Assert.Skip($"{kind} is not in the image cache: {remedy}");
        return path!;
    }
}
