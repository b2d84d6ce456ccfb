using System.Text;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Debian;
using OpenShell.Vm.Images.Formats;
using OpenShell.Vm.Images.Layers;

namespace OpenShell.Vm.Images.Recipes;

/// <summary>What a base image says of itself: its distribution, and the packages that dpkg has installed in it.</summary>
internal static class BaseImagePackages
{
    // Images without a package manager keep one file for each package (https://github.com/GoogleContainerTools/distroless#debian-package-metadata).
    private const string Status = "var/lib/dpkg/status", StatusFolder = "var/lib/dpkg/status.d";

    // Far more than any system has.
    private const long Largest = 64 << 20;

    /// <summary>The packages; none where there is no dpkg. Their files' hashes nobody has kept.</summary>
    public static IReadOnlyList<PinnedPackage> Read(LayerTree tree)
    {
        var vendor = OsRelease(tree).GetValueOrDefault("ID") is { Length: > 0 } id and not "debian" ? id : null;
        var stanzas = Lines(tree.Find(Status)).ToList();
        foreach (var (name, node) in tree.Find(StatusFolder)?.Children ?? [])
        {
            if (!name.EndsWith(".md5sums", StringComparison.Ordinal))
                stanzas.AddRange(["", .. Lines(node)]);
        }

        return
        [
            .. from stanza in ControlFile.Parse(stanzas)
               where stanza.ContainsKey("Package") && stanza.ContainsKey("Version")
               // "want flag status"; a list of single files has none.
               where !stanza.TryGetValue("Status", out var status) || status.EndsWith(" installed", StringComparison.Ordinal)
               orderby stanza["Package"]
               select new PinnedPackage
               {
                   Name = stanza["Package"],
                   Version = stanza["Version"],
                   Architecture = stanza.GetValueOrDefault("Architecture") ?? "all",
                   Vendor = vendor,
                   Sha256 = "",
                   Size = 0,
               },
        ];
    }

    /// <summary>The distribution's name, for a person.</summary>
    public static string Describe(LayerTree tree) => OsRelease(tree) is var release && (release.GetValueOrDefault("PRETTY_NAME") ?? release.GetValueOrDefault("NAME")) is { Length: > 0 } name
        ? name
        : "a system without a name";

    // https://www.freedesktop.org/software/systemd/man/latest/os-release.html
    private static Dictionary<string, string> OsRelease(LayerTree tree)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in Lines(tree.Find("etc/os-release") ?? tree.Find("usr/lib/os-release")))
        {
            if (line.Split('=', 2) is [var name, var value])
                values[name] = value.Trim('"', '\'');
        }

        return values;
    }

    private static string[] Lines(LayerNode? node)
    {
        if (node?.Inode is not { File: { } file, Length: <= Largest } inode)
            return [];
        using var content = new StreamReader(new PartOfFile(file, inode.At, inode.Length), Encoding.UTF8);
        return content.ReadToEnd().Split('\n');
    }
}
