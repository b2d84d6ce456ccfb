using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Layers;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>What a base image must contain for what is to run in it, and what of it is left out since it is ours.</summary>
internal static class BaseImageContents
{
    /// <summary>What is to run: single programs, or a cluster of a distribution.</summary>
    public const string Program = "program", Upstream = Distributions.Upstream.DistributionName, K3s = Distributions.K3s.DistributionName;

    private const string Folder = "images/base-image/", LibraryPrefix = "lib:";

    // Everything else is added to the image where these are.
    private static readonly (string Path, string Target)[] Merged = [("bin", "usr/bin"), ("sbin", "usr/sbin"), ("lib", "usr/lib")];

    // What the root image puts there itself (RootRecipe), and the modules and kernels of a system that is started otherwise.
    private static readonly string[] Ours =
    [
        "usr/sbin/openshell-init", "usr/lib/openshell", "usr/share/openshell", "usr/lib/modules", "boot",
        "usr/local/bin/k3s", "usr/local/bin/kubectl", "usr/local/bin/crictl", "usr/local/bin/ctr",
    ];

    /// <summary>The lists: all of them, since each begins with the one before.</summary>
    public static IReadOnlyList<string> Lists(string purpose) => purpose == Program ? [Folder + "program.list"] : [Folder + "program.list", Folder + purpose + ".list"];

    /// <summary>Finds what is missing.</summary>
    /// <exception cref="Faults.FaultException"><c>image.base-image-incomplete</c>: names all of it, with the packages of Debian that have it.</exception>
    public static void Check(string image, LayerTree tree, string purpose, SourceTree source)
    {
        var missing = Lists(purpose).SelectMany(list => Required(source.PathOf(list))).Where(r => !IsThere(tree, r.Path)).ToList();
        var unmerged = Merged.Where(m => tree.Find(m.Target) is not { Inode.IsFolder: true } folder || tree.Find(m.Path) != folder).Select(m => $"/{m.Path}, which has to lead to /{m.Target}").ToList();

        // A folder that is a link would send what is put there elsewhere.
        unmerged.AddRange(Merged.Where(m => tree.Root.Children.GetValueOrDefault("usr")?.Children.GetValueOrDefault(m.Target[4..]) is { Inode.IsLink: true }).Select(m => $"/{m.Target}, which has to be a folder"));
        if (missing.Count + unmerged.Count == 0)
            return;
        var packages = missing.Select(m => m.Package).Concat(unmerged.Count > 0 ? ["usr-is-merged"] : []).Distinct().ToList();
        throw ImageFaults.Make(
            "image.base-image-incomplete",
            $"The base image {image} lacks what {(purpose == Program ? "a machine" : $"a cluster of {purpose}")} needs: {string.Join(", ", missing.Select(m => Shown(m.Path)).Concat(unmerged))}.",
            $"Make one of it that has these packages of Debian: {string.Join(' ', packages)} (docs/images.md has a Containerfile).");
    }

    /// <summary>Takes away what the root image brings itself; returns what was there.</summary>
    public static IReadOnlyList<string> RemoveOurs(LayerTree tree) => [.. Ours.Where(tree.Remove)];

    /// <summary>The lines of a list: a path, and the package that has it.</summary>
    internal static IEnumerable<(string Path, string Package)> Required(string file) =>
        from line in File.ReadLines(file)
        let words = line.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)
        where words.Length == 2
        select (words[0], words[1]);

    private static bool IsThere(LayerTree tree, string path) => path.StartsWith(LibraryPrefix, StringComparison.Ordinal)
        ? NativeProgram.LibraryFolders.Any(folder => tree.Find(folder + "/" + path[LibraryPrefix.Length..]) is { Inode.IsFolder: false })
        : tree.Find(path) is { Inode.IsFolder: false };

    private static string Shown(string path) => path.StartsWith(LibraryPrefix, StringComparison.Ordinal) ? path[LibraryPrefix.Length..] : path;
}
