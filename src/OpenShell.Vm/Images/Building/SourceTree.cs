using System.Security.Cryptography;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Building;

/// <summary>This project's source tree: recipes, the guest's and the gateway's sources.</summary>
internal sealed class SourceTree(string root)
{
    /// <summary>Names the tree where it is not above the program.</summary>
    public const string Variable = "OPENSHELL_VM_SOURCE";

    private const string Landmark = "OpenShell.Vm.slnx";

    // What buildTransitive/OpenShell.Vm.targets sets in a program that has the library from its package.
    private const string OfPackage = "OpenShell.Vm.Source";

    // What compilers put beside sources, and what does not change what they make.
    private static readonly string[] IgnoredFolders = ["bin", "obj", "artifacts", ".git"];

    /// <summary>Absolute path of its root.</summary>
    public string Root { get; } = root;

    /// <summary>The tree named by <see cref="Variable"/>, else the one in the library's package, else the one that holds this program.</summary>
    public static SourceTree Locate()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return File.Exists(Path.Combine(named, Landmark))
                ? new SourceTree(Path.GetFullPath(named))
                : throw Missing($"{Variable} names {named}, which has no {Landmark}.");
        }

        if (AppContext.GetData(OfPackage) is string packaged && File.Exists(Path.Combine(packaged, Landmark)))
            return new SourceTree(packaged);

        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, Landmark)))
                return new SourceTree(folder);
        }

        throw Missing($"No folder above {AppContext.BaseDirectory} has {Landmark}.");
    }

    /// <summary>Absolute path of something in the tree.</summary>
    public string PathOf(string relative) => Path.Combine(Root, relative);

    /// <summary>A list file: one entry a line or several apart by blanks; <c>#</c> begins a comment.</summary>
    public IReadOnlyList<string> List(string relative) =>
        [.. File.ReadLines(PathOf(relative)).SelectMany(line => line.Split('#')[0].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries))];

    /// <summary>Every file of the given files and folders (missing ones are left out), relative to the root, in a fixed order.</summary>
    public IReadOnlyList<string> Files(IEnumerable<string> paths) =>
        [.. paths.SelectMany(FilesOf).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Those files with their hashes, as what goes into a recipe.</summary>
    public IReadOnlyList<RecipeInput> Inputs(IEnumerable<string> paths) =>
        [.. Files(paths).Select(file => new RecipeInput("file " + file, Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(PathOf(file))))))];

    /// <summary>Makes <paramref name="folder"/> hold exactly these files, with their times, so that a compiler sees what changed.</summary>
    public void CopyTo(string folder, IEnumerable<string> paths)
    {
        var wanted = Files(paths).ToHashSet(StringComparer.Ordinal);
        Directory.CreateDirectory(folder);
        foreach (var old in new SourceTree(folder).FilesOf("").Where(old => !wanted.Contains(old)))
            File.Delete(Path.Combine(folder, old));
        foreach (var file in wanted)
        {
            var target = Path.Combine(folder, file);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(PathOf(file), target, overwrite: true);
        }
    }

    private IEnumerable<string> FilesOf(string path)
    {
        var full = PathOf(path);
        if (File.Exists(full))
            return [path];
        if (!Directory.Exists(full))
            return [];
        var files = Directory.EnumerateFiles(full).Where(f => !f.EndsWith(".md", StringComparison.Ordinal)).Select(f => Path.GetRelativePath(Root, f));
        var folders = Directory.EnumerateDirectories(full).Where(f => !IgnoredFolders.Contains(Path.GetFileName(f))).Select(f => Path.GetRelativePath(Root, f));
        return files.Concat(folders.SelectMany(FilesOf));
    }

    private static Faults.FaultException Missing(string what) => ImageFaults.Make(
        "image.no-source",
        "The source tree that images are built from was not found. " + what,
        $"Run gateway from a clone of the repository, or set {Variable} to one; a program that has the library from its package finds it there as long as that package is in the folder that it was restored to.");
}
