using System.Text.Json;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Building;

/// <summary>
/// What a restore took from NuGet, by the file that it leaves for the compiler (<c>obj/project.assets.json</c>): packages with their hashes under <c>libraries</c>, and
/// the packs of the runtime and of the native compiler under <c>downloadDependencies</c>.
/// </summary>
internal static class RestoredPackages
{
    /// <summary>All of them, each once, by name.</summary>
    public static IReadOnlyList<RestoredPackage> Read(string assets)
    {
        using var stream = File.OpenRead(assets);
        using var json = JsonDocument.Parse(stream);
        var folders = json.RootElement.GetProperty("packageFolders").EnumerateObject().Select(f => f.Name).ToList();
        var found = new SortedDictionary<string, RestoredPackage>(StringComparer.Ordinal);
        foreach (var library in json.RootElement.GetProperty("libraries").EnumerateObject().Where(l => l.Value.GetProperty("type").ValueEquals("package")))
        {
            var (name, version) = (library.Name.Split('/')[0], library.Name.Split('/')[1]);
            Add(name, version, library.Value.TryGetProperty("sha512", out var sha512) ? sha512.GetString() : null);
        }

        foreach (var framework in json.RootElement.GetProperty("project").GetProperty("frameworks").EnumerateObject())
        {
            if (!framework.Value.TryGetProperty("downloadDependencies", out var downloads))
                continue;

            // An exact version as a range: "[10.0.12, 10.0.12]".
            foreach (var download in downloads.EnumerateArray())
                Add(download.GetProperty("name").GetString()!, download.GetProperty("version").GetString()!.Trim('[', ']').Split(',')[0], null);
        }

        return [.. found.Values];

        void Add(string name, string version, string? sha512)
        {
            var key = name + "/" + version;
            if (sha512 is not null || !found.ContainsKey(key))
                found[key] = new RestoredPackage(name, version, Hexadecimal(sha512 ?? Recorded(folders, name, version)));
        }
    }

    // Beside every unpacked package, in Base64: NAME/VERSION/NAME.VERSION.nupkg.sha512, in lower case.
#pragma warning disable CA1308 // not a comparison: the folders are named so
    private static string? Recorded(IEnumerable<string> folders, string name, string version)
    {
        var (folder, number) = (name.ToLowerInvariant(), version.ToLowerInvariant());
        var file = folders.Select(f => Path.Combine(f, folder, number, $"{folder}.{number}.nupkg.sha512")).FirstOrDefault(File.Exists);
        return file is null ? null : File.ReadAllText(file).Trim();
    }
#pragma warning restore CA1308

    private static string? Hexadecimal(string? base64)
    {
        Span<byte> bytes = stackalloc byte[64];
        return base64 is not null && Convert.TryFromBase64String(base64, bytes, out var length) && length == bytes.Length ? Convert.ToHexStringLower(bytes) : null;
    }
}
