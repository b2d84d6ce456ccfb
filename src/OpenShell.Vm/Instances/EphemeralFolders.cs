using System.Security.Cryptography;

namespace OpenShell.Vm.Instances;

/// <summary>Folders of VMs that run one program. Each is removed at its VM's end; what a killed process left is removed by the next one.</summary>
internal static class EphemeralFolders
{
    /// <summary>Makes one. Its name says whose it is.</summary>
    internal static InstanceFiles Create(HostDirectories directories)
    {
        PrivateFolder.Ensure(directories.Runtime);
        Sweep(directories.Runtime);
        var self = ProcessIdentities.Current;
        var files = InstanceFiles.Ephemeral(directories, $"{self.Pid}-{self.StartTime}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))}");
        PrivateFolder.Ensure(files.Root);
        return files;
    }

    private static void Sweep(string runtime)
    {
        foreach (var folder in Directory.EnumerateDirectories(runtime, InstanceFiles.EphemeralPrefix + "*"))
        {
            if (OwnerOf(Path.GetFileName(folder)) is { } owner && ProcessIdentities.IsAlive(owner))
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

    private static ProcessIdentity? OwnerOf(string folder) =>
        folder[InstanceFiles.EphemeralPrefix.Length..].Split('-') is [var pid, var start, _] && int.TryParse(pid, out var number) && long.TryParse(start, out var time)
            ? new ProcessIdentity(number, time)
            : null;
}
