namespace OpenShell.Vm.Instances;

/// <summary>Folders beside the instances' that are none yet, or none any more: a folder gets or loses an instance's name in one step. What a killed process left is removed by the next one.</summary>
internal static class AsideFolders
{
    /// <summary>A path that nothing has, and whose name says whose it is. No instance's name begins with a dot.</summary>
    internal static string Create(InstanceFiles files, string purpose)
    {
        var parent = Path.GetDirectoryName(files.Root)!;
        Sweep(parent);
        return Path.Combine(parent, $".{purpose}-{ProcessIdentities.ForName(Guid.NewGuid().ToString("N"))}");
    }

    private static void Sweep(string parent)
    {
        foreach (var folder in Directory.EnumerateDirectories(parent, ".*-*-*-*"))
        {
            if (OwnerOf(Path.GetFileName(folder)) is not { } owner || ProcessIdentities.IsAlive(owner))
                continue;
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
                // Another process sweeps too.
            }
        }
    }

    /// <summary>Whose a folder is, by its name; <see langword="null"/>: it is none of these.</summary>
    internal static ProcessIdentity? OwnerOf(string folder) =>
        folder.StartsWith('.') && folder.Split('-') is [_, var pid, var start, var rest]
            ? ProcessIdentities.FromName(pid, start, rest)
            : null;
}
