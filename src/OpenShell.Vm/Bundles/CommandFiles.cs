using System.Text.Json;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Bundles;

/// <summary>
/// The files that the running program consists of, by what its compiler wrote beside it (<c>NAME.deps.json</c>, https://github.com/dotnet/sdk/blob/main/documentation/specs/runtime-configuration-file.md),
/// and the packages of NuGet among them.
/// </summary>
/// <param name="Files">Their names in one folder, and where they lie.</param>
/// <param name="Packages">Packages of NuGet.</param>
/// <param name="Runtime">Version of .NET's runtime.</param>
/// <param name="IsNative">Compiled to native code: the runtime is in it. Otherwise it needs one.</param>
internal sealed record CommandFiles(IReadOnlyList<(string Name, string Path)> Files, IReadOnlyList<RestoredPackage> Packages, string Runtime, bool IsNative = false)
{
    /// <summary>Those of a program in a folder; <see langword="null"/>: it was not published in that way. Of one in native code that lies there alone nobody knows what packages are in it.</summary>
    public static CommandFiles? Find(string folder, string program)
    {
        var description = Path.Combine(folder, program + ".deps.json");
        var isNative = !File.Exists(Path.Combine(folder, program + ".dll"));
        if (!File.Exists(Path.Combine(folder, program)) || !isNative && !File.Exists(description))
            return null;
        if (!File.Exists(description))
            return new CommandFiles([(program, Path.Combine(folder, program))], [], Environment.Version.ToString(), isNative);
        using var json = JsonDocument.Parse(File.ReadAllBytes(description));
        var files = new SortedSet<string>(StringComparer.Ordinal) { program, program + ".dll", program + ".deps.json", program + ".runtimeconfig.json" };
        var packages = new SortedDictionary<string, RestoredPackage>(StringComparer.Ordinal);
        var libraries = json.RootElement.GetProperty("libraries");
        foreach (var library in json.RootElement.GetProperty("targets").EnumerateObject().First().Value.EnumerateObject())
        {
            foreach (var kind in (string[])["runtime", "native"])
            {
                if (library.Value.TryGetProperty(kind, out var assets))
                    files.UnionWith(assets.EnumerateObject().Select(a => Path.GetFileName(a.Name)));
            }

            var known = libraries.GetProperty(library.Name);
            if (known.GetProperty("type").ValueEquals("package"))
                packages[library.Name] = new RestoredPackage(library.Name.Split('/')[0], library.Name.Split('/')[1], Sha512(known));
        }

        return new CommandFiles([.. files.Select(f => (f, Path.Combine(folder, f))).Where(f => File.Exists(f.Item2))], [.. packages.Values], Environment.Version.ToString(), isNative);
    }

    // "sha512-" and Base64.
    private static string? Sha512(JsonElement library) =>
        library.TryGetProperty("sha512", out var sum) && sum.GetString() is { Length: > 7 } text && text.StartsWith("sha512-", StringComparison.Ordinal)
            ? Convert.ToHexStringLower(Convert.FromBase64String(text[7..]))
            : null;
}
