using static OpenShell.Vm.Kernels.KernelCapabilities;

namespace OpenShell.Vm.Kernels;

/// <summary>What containers, the kubelet and the guest's own file systems need.</summary>
internal static class ContainerCapabilities
{
    public static IReadOnlyList<KernelCapability> All { get; } =
    [
        Required("namespaces", "pods", "NET_NS PID_NS IPC_NS UTS_NS", "unshare --net --pid --ipc --uts --cgroup --fork true"),
        Optional("user-namespaces", "rootless containers", "USER_NS", "unshare --user --map-root-user true"),
        Controller("cpu", "CGROUP_SCHED CFS_BANDWIDTH", "cpu.max", "10000 100000"),
        Controller("cpuset", "CPUSETS", "cpuset.cpus", "0"),
        Controller("memory", "MEMCG", "memory.max", "64M"),
        Controller("pids", "CGROUP_PIDS", "pids.max", "10"),
        // Throttling works per device; any device that takes requests will do.
        Controller("io", "BLK_CGROUP BLK_DEV_THROTTLING", "io.max", "$(cat /sys/block/vda/dev) rbps=1048576"),
        Optional("cgroup-hugetlb", "limits of huge pages", "CGROUP_HUGETLB", "mkdir g; mount -t cgroup2 g g; grep -qw hugetlb g/cgroup.controllers"),
        Required("overlay", "container layers", "OVERLAY_FS", "mkdir l u w m; mount -t overlay -o lowerdir=l,upperdir=u,workdir=w o m; touch m/f; test -e u/f"),
        Required("ext4", "the state disk, by way of a loop device", "EXT4_FS BLK_DEV_LOOP", "modprobe -q loop || :; truncate -s 8M f; mkfs.ext4 -q f; mkdir m; mount -o loop f m; touch m/f"),
        Required("acl", "file permissions of images", "EXT4_FS_POSIX_ACL", "modprobe -q loop || :; truncate -s 8M f; mkfs.ext4 -q f; mkdir m; mount -o loop,acl f m"),
        Required("mqueue", "containers", "POSIX_MQUEUE", "mkdir m; mount -t mqueue q m"),
        Required("seccomp", "containers", "SECCOMP_FILTER", "grep -qw errno /proc/sys/kernel/seccomp/actions_avail"),
        Required("bpf", "device rules of containers", "BPF_SYSCALL CGROUP_BPF", "mkdir m; mount -t bpf b m; test -e /proc/sys/kernel/unprivileged_bpf_disabled"),
        Required("keys", "the kubelet", "KEYS", "test -e /proc/keys"),
        Required("inotify", "the kubelet, log readers", "INOTIFY_USER", "test -e /proc/sys/fs/inotify/max_user_watches"),
        Optional("hugetlbfs", "pods with huge pages", "HUGETLBFS", "mkdir m; mount -t hugetlbfs h m"),
        Optional("psi", "pressure figures", "PSI", "grep -q some /proc/pressure/memory"),
        Optional("squashfs", "root images", "SQUASHFS SQUASHFS_LZ4", "modprobe -q squashfs || :; grep -qw squashfs /proc/filesystems"),
        Optional("9p", "mounts of host folders", "9P_FS NET_9P_VIRTIO", "modprobe -qa 9p 9pnet_virtio || :; grep -qw 9p /proc/filesystems"),
        Optional("virtio-fs", "mounts of host folders", "FUSE_FS VIRTIO_FS", "modprobe -q virtiofs || :; grep -qw virtiofs /proc/filesystems"),
        Optional("landlock", "sandboxes", "SECURITY_LANDLOCK", "mkdir m; mount -t securityfs s m; grep -qw landlock m/lsm"),
        Optional("yama", "protection of processes from one another", "SECURITY_YAMA", "test -e /proc/sys/kernel/yama/ptrace_scope"),
        Optional("binfmt-misc", "programs for other processors", "BINFMT_MISC", "modprobe -q binfmt_misc || :; mkdir m; mount -t binfmt_misc b m"),
        Optional("vsock", "the agent channel under libkrun", "VSOCKETS VIRTIO_VSOCKETS", "modprobe -qa vsock vmw_vsock_virtio_transport || :; grep -q '^AF_VSOCK' /proc/net/protocols"),
        Optional("config", "this table, without a file beside the kernel", "IKCONFIG_PROC", "test -e /proc/config.gz"),
    ];

    private static KernelCapability Controller(string name, string options, string file, string value) => Required(
        "cgroup-" + name,
        "limits of pods",
        options,
        $"mkdir g; mount -t cgroup2 g g; echo +{name} > g/cgroup.subtree_control; mkdir g/check-{name}; echo \"{value}\" > g/check-{name}/{file}; rmdir g/check-{name}");
}
