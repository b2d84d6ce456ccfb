using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Mounts;

/// <summary>Which folders of the host can be seen where in a guest, and by what means.</summary>
internal static class MountRules
{
    /// <summary>QEMU gives each device a slot of its own bus; a handful are taken. More folders than this are better one with folders in it.</summary>
    private const int MaxMounts = 16;

    /// <summary>Where the guest can make a folder to mount on: the rest of its root is the read-only image, or the kernel's.</summary>
    private static readonly string[] Places = ["/etc/", "/var/", "/root/", "/home/", "/opt/", "/mnt/", "/srv/", "/tmp/", "/run/"];

    /// <summary>What is wrong whatever the host. Pure.</summary>
    internal static IEnumerable<Fault> Validate(InstanceConfig config)
    {
        if (config.Mounts.Count > MaxMounts)
            yield return InstanceValidator.Usage("mount.too-many", $"{config.Mounts.Count} mounts are more than the {MaxMounts} that a machine can have.", "Mount one folder that holds the others.");
        var taken = new HashSet<string>();
        foreach (var mount in config.Mounts)
        {
            var option = mount.Option();
            if (!Path.IsPathRooted(mount.HostPath))
                yield return InstanceValidator.Usage("mount.host-path", $"{option}: '{mount.HostPath}' is not an absolute path.", "Give the whole path of the folder.");
            if (Path.GetFullPath("/" + mount.GuestPath) != mount.GuestPath || mount.GuestPath.Any(c => char.IsControl(c) || c == ':'))
                yield return InstanceValidator.Usage("mount.guest-path", $"{option}: '{mount.GuestPath}' is not a plain absolute path in the guest.", "Write it without '.', '..' and '//', such as /mnt/src.");
            else if (config.RootDirectory is null && !Places.Any(place => mount.GuestPath.StartsWith(place, StringComparison.Ordinal)))
                yield return InstanceValidator.Usage("mount.guest-path", $"{option}: the guest cannot make {mount.GuestPath}, which is not below a folder that it can write to.", $"Mount it below one of {string.Join(", ", Places.Select(p => p.TrimEnd('/')))}, such as /mnt/src.");
            if (!taken.Add(mount.GuestPath))
                yield return InstanceValidator.Usage("mount.duplicate", $"{option}: something else is mounted at {mount.GuestPath}.", "Give each mount a path of its own in the guest.");
        }
    }

    /// <summary>Folders of the host that are not there.</summary>
    internal static IEnumerable<Fault> Missing(InstanceConfig config) =>
        from mount in config.Mounts
        where !Directory.Exists(mount.HostPath)
        select InstanceValidator.Usage("mount.host-path", $"{mount.Option()}: there is no folder {mount.HostPath} on this machine.", "Make it first, or correct the path; '--mount none' does without folders that an earlier start named.");

    /// <summary>What is allowed, but worth saying.</summary>
    internal static IEnumerable<string> Notes(InstanceConfig config) =>
        config.Mounts.Count > 0 ? [$"With --mount the machine has {HostMount.CannotDo}."] : [];

    /// <summary>Refuses what the kernel cannot mount, before anything is started.</summary>
    /// <exception cref="FaultException">Debian's kernel has no 9p, and the host no virtiofsd (<c>mount.kernel</c>).</exception>
    internal static void ThrowIfUnfit(InstanceConfig config, HostFacts host)
    {
        if (config.Mounts.Count == 0 || config.Hypervisor == HypervisorNames.Libkrun || KindFor(config, host) is not null)
            return;
        throw new FaultException(InstanceValidator.Usage(
            "mount.kernel",
            $"{config.Mounts[0].Option()}: Debian's kernel cannot mount folders of the host by itself (it has no 9p), and this host has no virtiofsd.",
            "Add --kernel custom, which has 9p ('gateway kernel build' makes it in some 20 minutes, once), or install virtiofsd (a package of Debian 13)."));
    }

    /// <summary>The folders as the machine has them. Pure.</summary>
    internal static IReadOnlyList<SharedFolder> Plan(InstanceConfig config, HostFacts host, InstanceFiles files) =>
    [
        .. config.Mounts.Select((mount, number) =>
        {
            var kind = KindFor(config, host) ?? ShareKind.VirtioFs;
            var daemon = kind == ShareKind.VirtioFs && config.Hypervisor != HypervisorNames.Libkrun;
            return new SharedFolder
            {
                Tag = $"openshell{number}",
                Path = mount.HostPath,
                GuestPath = mount.GuestPath,
                ReadOnly = mount.ReadOnly,
                Kind = kind,
                Socket = daemon ? files.ShareSocket(number) : null,

                // Root could be made to leave files of any owner and mode, and devices, in the folder: they are only noted there. A user can make no more than his own.
                MapOwners = kind == ShareKind.Plan9 && host.IsRoot,
            };
        }),
    ];

    private static ShareKind? KindFor(InstanceConfig config, HostFacts host) => config switch
    {
        { Hypervisor: HypervisorNames.Libkrun } => ShareKind.VirtioFs,
        { Kernel: not (null or KernelNames.Debian) } => ShareKind.Plan9,
        _ => host.Virtiofsd is not null ? ShareKind.VirtioFs : null,
    };
}
