using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Boot.Tests.K3s;

/// <summary>The program that the tests of k3s run: the real one where <see cref="Variable"/> names it, else the stand-in.</summary>
internal static class K3sProgram
{
    /// <summary>The path of a real k3s.</summary>
    public const string Variable = "OPENSHELL_VM_TEST_K3S";

    private static readonly Lazy<Task<string>> Built = new(BuildAsync);

    /// <summary>The real one, if there is one.</summary>
    public static string? Real => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path ? Path.GetFullPath(path) : null;

    /// <summary>The stand-in, built where it is not in the cache.</summary>
    public static async Task<string> StandInAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        return await Built.Value;
    }

    private static async Task<string> BuildAsync()
    {
        var catalog = new RecipeCatalog([DebianRootRecipe.Upstream, DebianRootRecipe.K3s, new KubernetesRecipe(), new StandInRecipe()]);
        var builder = new ImageBuilder(HostDirectories.FromEnvironment(), catalog, source: null);
        var built = await builder.EnsureKindsAsync([StandInRecipe.Name], refresh: false, repair: true, progress: null, TestContext.Current.CancellationToken);
        return builder.FileOf(built[0], StandInRecipe.Program);
    }
}
