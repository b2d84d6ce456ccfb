namespace OpenShell.Vm.Guest.Cluster.Workload;

/// <summary>A folder of manifests.</summary>
internal static class ManifestFolder
{
    /// <summary>Its files, in the order of their names, whatever the language of the system.</summary>
    public static IReadOnlyList<string> Files(string folder)
    {
        if (!Directory.Exists(folder))
            return [];
        var files = Directory.GetFiles(folder).Where(f => Path.GetExtension(f) is ".yaml" or ".yml" or ".json").ToArray();
        Array.Sort(files, StringComparer.Ordinal);
        return files;
    }
}
