using System.Text;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>The modules of the kernel artifact, as a build that uses them sees them.</summary>
internal sealed class KernelModules : IDisposable
{
    private readonly TarIndex _tar;
    private readonly ModuleDependencies _dependencies;

    private KernelModules(TarIndex tar, string release)
    {
        _tar = tar;
        Release = release;
        _dependencies = new ModuleDependencies(Lines("modules.dep"), Lines("modules.builtin"));
    }

    /// <summary>The kernel's release: <c>6.1.0-56-cloud-amd64</c>.</summary>
    public string Release { get; }

    /// <summary>Where they are in the root: <c>lib/modules/RELEASE</c>.</summary>
    public string Folder => "lib/modules/" + Release;

    public static KernelModules Open(BuildContext context)
    {
        var release = File.ReadAllText(context.Input(KernelRecipe.Name, KernelRecipe.Release)).Trim();
        return new KernelModules(TarIndex.Open(context.Input(KernelRecipe.Name, KernelRecipe.Modules)), release);
    }

    /// <summary>Modules with all that they need, in load order, relative to <see cref="Folder"/>.</summary>
    public IReadOnlyList<string> LoadOrder(IEnumerable<string> names, string list)
    {
        try
        {
            return _dependencies.LoadOrder(names);
        }
        catch (KeyNotFoundException e)
        {
            throw ImageFaults.Make("image.module-missing", $"{list} asks for a module that kernel {Release} does not have: {e.Message}.", "Correct the list.", cause: e);
        }
    }

    public byte[] Read(string module) => _tar.Read($"{Folder}/{module}");

    public void Dispose() => _tar.Dispose();

    private string[] Lines(string name) => Encoding.UTF8.GetString(_tar.Read($"{Folder}/{name}")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
