using System.Security.Cryptography;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Instances;

/// <summary>Folders of VMs that run one program. Each is removed at its VM's end; what a killed process left is removed by the next one.</summary>
internal static class EphemeralFolders
{
    /// <summary>Makes one. Its name says whose it is.</summary>
    internal static InstanceFiles Create(HostDirectories directories)
    {
        PrivateFolder.Ensure(directories.Runtime);
        Sweep(directories.Runtime);
        var files = InstanceFiles.Ephemeral(directories, ProcessIdentities.ForName(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3))));
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
                EndProcesses(folder);
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException)
            {
                // Another process sweeps too.
            }
        }
    }

    /// <summary>A machine ends with its supervisor, but not on every system: what is left is known by the identity that was recorded.</summary>
    private static void EndProcesses(string folder)
    {
        try
        {
            foreach (var process in InstanceStore.ReadProcesses(Path.Combine(folder, InstanceFiles.ProcessesName)))
                ProcessIdentities.Signal(process, Supervision.Signals.Kill);
        }
        catch (FaultException)
        {
            // Cut off: its writer was killed right then, and what it had started goes by itself.
        }
    }

    /// <summary>Whose a folder is, by its name; <see langword="null"/>: it is no folder of a program's VM.</summary>
    internal static ProcessIdentity? OwnerOf(string folder) =>
        folder.StartsWith(InstanceFiles.EphemeralPrefix, StringComparison.Ordinal) && folder[InstanceFiles.EphemeralPrefix.Length..].Split('-') is [var pid, var start, var rest]
            ? ProcessIdentities.FromName(pid, start, rest)
            : null;
}
