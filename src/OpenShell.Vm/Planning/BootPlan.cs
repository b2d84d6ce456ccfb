using System.Text.Json.Serialization;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Planning;

/// <summary>
/// Everything that a hypervisor needs to know, and nothing that it decides: pure data, made by <c>BootPlanner</c>, printed by
/// <c>gateway plan</c>, stored as <c>plan.json</c>. Two equal plans start equal machines.
/// </summary>
public sealed record BootPlan
{
    /// <summary>The instance's name.</summary>
    public required string Instance { get; init; }

    /// <summary>The hypervisor's name in the catalogue: <c>qemu</c>, <c>libkrun</c>.</summary>
    public required string Hypervisor { get; init; }

    /// <summary>The guest's processor: <c>x86_64</c> or <c>aarch64</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>How the guest's code is run.</summary>
    public required Accelerator Accelerator { get; init; }

    /// <summary>Virtual CPUs.</summary>
    public required int Vcpus { get; init; }

    /// <summary>Guest memory in MiB.</summary>
    public required int MemoryMib { get; init; }

    /// <summary>Absolute path of the kernel (bzImage or vmlinux; <c>Image</c> of AArch64); <see langword="null"/>: the one that libkrun brings along (libkrunfw).</summary>
    public string? Kernel { get; init; }

    /// <summary>Absolute path of the initramfs; <see langword="null"/> where the kernel mounts the root itself.</summary>
    public string? Initramfs { get; init; }

    /// <summary>Kernel arguments in order, each explained where it is made (<c>KernelCommandLine</c>).</summary>
    public required IReadOnlyList<string> KernelArguments { get; init; }

    /// <summary>Folder of the host that is the guest's root over virtio-fs, in place of a root disk.</summary>
    public string? RootDirectory { get; init; }

    /// <summary>Block devices in the order in which the guest sees them.</summary>
    public required IReadOnlyList<Disk> Disks { get; init; }

    /// <summary>Folders of the host that the guest sees.</summary>
    public IReadOnlyList<Mounts.SharedFolder> Shares { get; init => field = value ?? []; } = [];

    /// <summary>The network interface, if any.</summary>
    public NetworkInterface? Network { get; init; }

    /// <summary>Host side of the agent channel: a Unix socket on which the hypervisor listens.</summary>
    public required string AgentSocket { get; init; }

    /// <summary>Control socket of the hypervisor (QMP), on which the supervisor listens; <see langword="null"/>: it has none.</summary>
    public string? ControlSocket { get; init; }

    /// <summary>File that takes the guest's console.</summary>
    public required string ConsoleLog { get; init; }

    /// <summary>File that takes the hypervisor's own output.</summary>
    public required string VmmLog { get; init; }

    /// <summary>What only libkrun needs.</summary>
    public KrunPlan? Krun { get; init; }

    /// <summary>Where the guest's memory lies, if not in the hypervisor's own.</summary>
    public GuestMemory? Memory { get; init; }

    /// <summary>The saved machine that this one goes on as; <see langword="null"/>: it is powered on.</summary>
    public SavedMachine? Resume { get; init; }
}

/// <summary>Where a guest's memory lies.</summary>
/// <param name="Sharing">Who sees what the guest writes.</param>
/// <param name="Path">Absolute path of the file with the memory; <see langword="null"/> with <see cref="MemorySharing.Anonymous"/>.</param>
public sealed record GuestMemory(MemorySharing Sharing, string? Path);

/// <summary>What becomes of what a guest writes to its memory.</summary>
public enum MemorySharing
{
    /// <summary>There is no file. The memory is named as if there were one, so that a machine that was saved with a file can go on without it.</summary>
    Anonymous,

    /// <summary>It goes to the file: how a golden image is made.</summary>
    Shared,

    /// <summary>It stays with this machine; the file is read, shared with all others that read it, and never changed.</summary>
    Private,
}

/// <summary>A machine that was stopped and saved.</summary>
/// <param name="Path">Absolute path of what QEMU wrote.</param>
/// <param name="HoldsMemory">Whether the guest's memory is in it; else that is <see cref="BootPlan.Memory"/>'s file.</param>
public sealed record SavedMachine(string Path, bool HoldsMemory)
{
    /// <summary>Absolute path of the pages that the machine had for itself, over <see cref="BootPlan.Memory"/>'s file where it has one; <see langword="null"/>: its memory was saved in another way.</summary>
    public string? Pages { get; init; }
}

/// <summary>How the guest's code is run.</summary>
public enum Accelerator
{
    /// <summary>Software emulation by QEMU: works everywhere, some ten times slower.</summary>
    Tcg,

    /// <summary>Linux's KVM.</summary>
    Kvm,

    /// <summary>macOS's Hypervisor.framework.</summary>
    Hvf,
}

/// <summary>A block device.</summary>
public sealed record Disk
{
    /// <summary>The serial number by which the guest finds it (<c>/sys/block/*/serial</c>), at most 20 characters.</summary>
    public required string Serial { get; init; }

    /// <summary>Absolute path of the image.</summary>
    public required string Path { get; init; }

    /// <summary>Its format.</summary>
    public required DiskFormat Format { get; init; }

    /// <summary>Whether the guest may only read it.</summary>
    public required bool ReadOnly { get; init; }
}

/// <summary>Formats of disk images.</summary>
public enum DiskFormat
{
    /// <summary>The bytes of the disk.</summary>
    Raw,

    /// <summary>QEMU's copy-on-write format.</summary>
    Qcow2,
}

/// <summary>The guest's network interface, joined to gvproxy over a Unix stream socket.</summary>
/// <param name="MacAddress">Such as <c>5a:94:ef:e4:0c:ee</c>.</param>
/// <param name="Socket">gvproxy's socket (<c>-listen-qemu</c>): frames with a 4-byte big-endian length.</param>
public sealed record NetworkInterface(string MacAddress, string Socket)
{
    /// <summary>The socket takes one frame a datagram (<c>-listen-vfkit</c>): the only way that libkrun and gvproxy share on macOS.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Datagrams { get; init; }
}

/// <summary>The part of a plan that is for libkrun's process.</summary>
public sealed record KrunPlan
{
    /// <summary>Where the plan itself is written, for that process to read.</summary>
    public required string PlanFile { get; init; }

    /// <summary>Where that process writes why it could not start the machine (a list of <see cref="Faults.Fault"/>).</summary>
    public required string FaultFile { get; init; }

    /// <summary>Absolute path of libkrun.</summary>
    public required string Library { get; init; }

    /// <summary>Absolute paths of every libkrunfw that was found, the preferred one first; which fits is known once libkrun is loaded.</summary>
    public required IReadOnlyList<string> Firmware { get; init; }

    /// <summary>How much libkrun says in its log: 0 (nothing) to 5 (everything).</summary>
    public required int LogLevel { get; init; }

    /// <summary>Forwards of libkrun's own network (TSI); <see langword="null"/>: that network is off.</summary>
    public IReadOnlyList<PortForward>? TsiPorts { get; init; }
}
