using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Mounts;

/// <summary>Every file system that the guest mounts, in order, with the reason for its options. Pure data.</summary>
internal static class MountPlan
{
    private const nuint Hardened = Linux.MsNoSuid | Linux.MsNoDev | Linux.MsNoExec;

    /// <summary>Where the changes to the read-only folders are kept, in memory.</summary>
    public const string Overlays = GuestPaths.Run + "/overlay";

    /// <summary>
    /// Folders of the read-only root in which programs expect to write. /usr is not among them: what runs is what was built and verified.
    /// </summary>
    public static IReadOnlyList<string> Writable { get; } = ["/etc", "/var", "/root", "/home", "/opt", "/mnt", "/srv"];

    /// <summary>The three that nothing works without. Stage 1 moves them into the root; without a stage 1, stage 2 makes them.</summary>
    public static IReadOnlyList<MountEntry> Initramfs { get; } =
    [
        new() { Source = "devtmpfs", Target = "/dev", Type = "devtmpfs", Flags = Linux.MsNoSuid, Data = "mode=0755" },
        new() { Source = "proc", Target = "/proc", Type = "proc", Flags = Hardened },
        new() { Source = "sysfs", Target = "/sys", Type = "sysfs", Flags = Hardened },
    ];

    /// <summary>What every boot needs before anything else may run.</summary>
    public static IReadOnlyList<MountEntry> Base { get; } =
    [
        new() { Source = "tmpfs", Target = "/run", Type = "tmpfs", Flags = Linux.MsNoSuid | Linux.MsNoDev, Data = "mode=0755" },
        new() { Source = "tmpfs", Target = "/tmp", Type = "tmpfs", Flags = Linux.MsNoSuid | Linux.MsNoDev, Data = "mode=1777" },
        // ptmxmode: without it only root could open a terminal through /dev/pts/ptmx.
        new() { Source = "devpts", Target = "/dev/pts", Type = "devpts", Flags = Linux.MsNoSuid | Linux.MsNoExec, Data = "gid=5,mode=0620,ptmxmode=0666" },
        new() { Source = "tmpfs", Target = "/dev/shm", Type = "tmpfs", Flags = Linux.MsNoSuid | Linux.MsNoDev, Data = "mode=1777" },
        .. Writable.Select(Overlay),
    ];

    /// <summary>What programs of a cluster, and curious people, expect beyond that.</summary>
    public static IReadOnlyList<MountEntry> Kernel { get; } =
    [
        // nsdelegate: a container's cgroup namespace is a boundary of delegation, as under systemd.
        new() { Source = "cgroup2", Target = "/sys/fs/cgroup", Type = "cgroup2", Flags = Hardened, Data = "nsdelegate,memory_recursiveprot" },
        new() { Source = "bpf", Target = "/sys/fs/bpf", Type = "bpf", Flags = Hardened, Data = "mode=0700", Optional = true },
        new() { Source = "mqueue", Target = "/dev/mqueue", Type = "mqueue", Flags = Hardened, Optional = true },
    ];

    /// <summary>Symbolic links of /dev that udev would make (the kubelet and shells want <c>/dev/fd</c>).</summary>
    public static IReadOnlyList<(string Link, string Target)> DeviceLinks { get; } =
    [
        ("/dev/fd", "/proc/self/fd"),
        ("/dev/stdin", "/proc/self/fd/0"),
        ("/dev/stdout", "/proc/self/fd/1"),
        ("/dev/stderr", "/proc/self/fd/2"),
        ("/dev/core", "/proc/kcore"),
    ];

    private static MountEntry Overlay(string folder) => new()
    {
        Source = "overlay",
        Target = folder,
        Type = "overlay",
        Data = $"lowerdir={folder},upperdir={Overlays}{folder}/upper,workdir={Overlays}{folder}/work",
        Needs = [$"{Overlays}{folder}/upper", $"{Overlays}{folder}/work"],
    };
}
