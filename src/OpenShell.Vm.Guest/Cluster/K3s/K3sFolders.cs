using OpenShell.Vm.Guest.Cluster.Workload;
using OpenShell.Vm.Guest.Pki;

namespace OpenShell.Vm.Guest.Cluster.K3s;

/// <summary>
/// Puts what is to run into the folders that k3s watches, before it starts. What is ours there begins with <see cref="Prefix"/>, so that what is not wanted any
/// more can be told from k3s's own and from what others put there.
/// </summary>
internal sealed class K3sFolders(K3sLayout layout)
{
    /// <summary>How our files' names begin.</summary>
    public const string Prefix = "openshell-";

    // https://docs.k3s.io/installation/airgap: what k3s takes for image archives.
    private static readonly string[] ArchiveEndings = [".tar", ".tar.zst", ".tar.gz", ".tgz", ".tar.lz4", ".tar.bz2"];

    /// <summary>Writes manifests: secrets first, then files in the order of their names.</summary>
    public void WriteManifests(IReadOnlyList<ManifestDocument> secrets, IReadOnlyList<string> image, IReadOnlyList<string> user)
    {
        var files = new Dictionary<string, string> { [Prefix + "00-secrets.yaml"] = string.Join("\n---\n", secrets.Select(d => d.Text)) + "\n" };
        foreach (var file in image)
            files[Prefix + Path.GetFileName(file)] = File.ReadAllText(file);
        foreach (var file in user)
            files[Prefix + "user-" + Path.GetFileName(file)] = File.ReadAllText(file);
        Directory.CreateDirectory(layout.Manifests);
        RemoveOthers(layout.Manifests, files.Keys);
        foreach (var (name, text) in files)
        {
            var path = Path.Combine(layout.Manifests, name);
            if (!File.Exists(path) || File.ReadAllText(path) != text)
                OwnerFile.Write(path, text);
        }
    }

    /// <summary>Links image archives, which k3s opens through the link.</summary>
    public void LinkImages(IReadOnlyList<string> folders) => LinkAll(layout.Images, folders, f => ArchiveEndings.Any(e => f.EndsWith(e, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Copies charts: k3s serves files of that folder, and a link would lead out of it.</summary>
    public void CopyCharts(IReadOnlyList<string> folders)
    {
        var charts = FilesIn(folders).Where(f => f.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase)).ToArray();
        if (charts.Length == 0)
            return;
        Directory.CreateDirectory(layout.Charts);
        foreach (var chart in charts)
            File.Copy(chart, Path.Combine(layout.Charts, Path.GetFileName(chart)), overwrite: true);
    }

    private static void LinkAll(string target, IReadOnlyList<string> folders, Func<string, bool> wanted)
    {
        Directory.CreateDirectory(target);
        var links = FilesIn(folders).Where(wanted).ToDictionary(f => Prefix + Path.GetFileName(f), f => f, StringComparer.Ordinal);
        RemoveOthers(target, links.Keys);
        foreach (var (name, file) in links)
        {
            var link = Path.Combine(target, name);
            if (new FileInfo(link).LinkTarget == file)
                continue;
            File.Delete(link);
            File.CreateSymbolicLink(link, file);
        }
    }

    private static IEnumerable<string> FilesIn(IReadOnlyList<string> folders) => folders.Where(Directory.Exists).SelectMany(f => Directory.GetFiles(f).Order(StringComparer.Ordinal));

    private static void RemoveOthers(string folder, IEnumerable<string> names)
    {
        foreach (var file in Directory.GetFileSystemEntries(folder, Prefix + "*").Where(f => !names.Contains(Path.GetFileName(f))))
            File.Delete(file);
    }
}
