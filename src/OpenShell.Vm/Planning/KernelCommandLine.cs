using OpenShell.Vm.Images;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Planning;

/// <summary>
/// The kernel's arguments (https://docs.kernel.org/admin-guide/kernel-parameters.html), each with its reason. Nothing here configures the guest's user space but
/// what it must know before the agent channel is there: that carries the rest. Where there is an initramfs it mounts the root, so there is no <c>root=</c>. libkrun allows
/// 2048 bytes in all, of which it takes some 50 for each device.
/// </summary>
internal static class KernelCommandLine
{
    /// <summary>Under QEMU.</summary>
    internal static IReadOnlyList<string> For(string architecture, Accelerator accelerator, bool mountsRoot = false, bool isCluster = false) =>
    [
        // The serial port, which the hypervisor writes to console.log: a PC's 16550, or the PL011 of QEMU's machine for AArch64.
        Architectures.IsArm(architecture) ? "console=ttyAMA0" : "console=ttyS0",
        .. Always,
        .. mountsRoot ? Root : [],
        .. accelerator == Accelerator.Tcg ? UnderEmulation : [],
        .. accelerator == Accelerator.Tcg && !Architectures.IsArm(architecture) ? EmulatedX64 : [],
        .. accelerator == Accelerator.Tcg && isCluster ? EmulatedCluster : [],
    ];

    /// <summary>Under libkrun, with a kernel of our own.</summary>
    internal static IReadOnlyList<string> UnderLibkrun(IReadOnlyList<Disk> disks, bool mountsRoot = false) =>
    [
        // libkrun's console is a virtio console; it has no serial port that writes to a file.
        "console=hvc0",

        .. Always,
        .. mountsRoot ? Root : [],

        // libkrun has no ACPI: on x86 the keyboard controller's reset is the only end of a machine that it knows (src/devices/src/legacy/i8042.rs at v1.17.4). PID 1 reads this too.
        GuestKernelArguments.ResetIsTheEnd,

        .. DiskNames(disks),
    ];

    /// <summary>libkrun gives disks serial numbers of its own (device and inode of the image: src/devices/src/virtio/block/device.rs at v1.17.4), so the guest is told them in order.</summary>
    internal static IReadOnlyList<string> DiskNames(IReadOnlyList<Disk> disks) =>
        disks.Count == 0 ? [] : [$"{GuestKernelArguments.Disks}={string.Join(',', disks.Select(disk => disk.Serial))}"];

    private static readonly string[] Always =
    [
        // Warnings and worse only: each line costs a millisecond or more of a serial port, under emulation several.
        "quiet",

        // The one interface is eth0, whatever bus it is on.
        "net.ifnames=0",

        // A panic reboots at once, which is the hypervisor's end (QEMU: -no-reboot): a dead guest is noticed in milliseconds.
        "panic=-1",

        // Also a kernel bug that the kernel would try to live on with: a VM is started anew more easily than it is debugged.
        "oops=panic",

        // Trust what the processor and the host give as randomness: getrandom() then does not wait at boot.
        "random.trust_cpu=on",
        "random.trust_bootloader=on",
    ];

    private static readonly string[] Root =
    [
        // The first disk of every plan is the root image (BootPlanner). The kernel knows no serial numbers, only letters.
        "root=/dev/vda",
        "ro",

        // Said, so that the kernel does not try every file system that it has, one by one.
        "rootfstype=squashfs",

        // What the initramfs would have started.
        "init=" + GuestPaths.Init,
    ];

    private static readonly string[] UnderEmulation =
    [
        // Workarounds for speculation in real processors. TCG does not speculate; the kernel would only run the costly paths.
        "mitigations=off",
    ];

    private static readonly string[] EmulatedX64 =
    [
        // Address layout randomization of the kernel costs a relocation pass of the whole image at boot. (AArch64's kernel understands it too, but so early that it later takes it for an argument of PID 1.)
        "nokaslr",

        // The TSC is the clock (docs/adr/0004): TCG's are synchronous by construction, but the kernel's test of that takes emulation's slowness for a difference and
        // falls back to the HPET, whose every reading is a device access under QEMU's global lock.
        "tsc=reliable",

        // The kernel counts timer interrupts for some milliseconds, and panics when too few came ("IO-APIC + timer doesn't work!"): so they do where the host is busy. Under KVM it knows to leave that out.
        "no_timer_check",

        // Timers end with a tick (4 ms at Debian's 250 Hz) and not to the microsecond: every programming of the timer is a device access under that lock, and programs in Go, which set
        // hundreds a second, are woken for several at once (40 % fewer context switches).
        "highres=off",
    ];

    private static readonly string[] EmulatedCluster =
    [
        // How long tasks wait for what: counted at every switch of tasks, in every group above them.
        "psi=0",

        // The kubelet reads the folder of every controller for every class of pods every other second, all files in it: half of what an idle kubelet computes. These limit nothing that is here.
        "cgroup_disable=hugetlb,rdma,misc",
    ];
}
