using OpenShell.Vm.Faults;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Instances;

/// <summary>Whether a folder of the host can be a guest's root. Looks, and changes nothing.</summary>
public static class RootDirectoryCheck
{
    /// <summary>What is missing of the folder that a configuration names; empty when nothing is, or it names none.</summary>
    public static IReadOnlyList<Fault> Faults(InstanceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.RootDirectory is not { } root)
            return [];
        if (!Directory.Exists(root))
            return [InstanceValidator.Usage("krun.rootfs-missing", $"--rootfs {root}: there is no such folder.", "Give a folder that holds the guest's files.")];
        string[] needed = config.Mode == GuestMode.Cluster ? [GuestPaths.Init, GuestPaths.Kubernetes] : [GuestPaths.Init];
        return
        [
            .. needed.Where(file => !IsThere(root, file)).Select(file => InstanceValidator.Usage(
                "krun.rootfs-incomplete",
                $"--rootfs {root} has no {file}: it is no root of a guest.",
                "Unpack the root image into it: 'unsquashfs -d DIR ROOT', with the image that 'gateway plan' names.")),
        ];
    }

    // /sbin and the like are links to /usr on most distributions, and the links within a root are not for the host to follow.
    private static bool IsThere(string root, string path) => File.Exists(root + path) || File.Exists(root + "/usr" + path);
}
