namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>
/// A call to libkrun, less the context that all but the first take: pure data. Names and arguments are those of its header
/// (https://github.com/containers/libkrun/blob/v1.19.0/include/libkrun.h); those that are younger than 1.9 say since which tag they are there.
/// </summary>
/// <param name="Function">The exported name.</param>
internal abstract record KrunCall(string Function)
{
    /// <summary>Logs to stderr, without colours and whatever RUST_LOG says. 1.13.</summary>
    internal sealed record InitLog(uint Level) : KrunCall("krun_init_log");

    /// <summary>The same by RUST_LOG, if that is set.</summary>
    internal sealed record SetLogLevel(uint Level) : KrunCall("krun_set_log_level");

    /// <summary>The machine's size.</summary>
    internal sealed record SetVmConfig(byte Vcpus, uint MemoryMib) : KrunCall("krun_set_vm_config");

    /// <summary>The file is made anew when the machine is.</summary>
    internal sealed record SetConsoleOutput(string Path) : KrunCall("krun_set_console_output");

    /// <summary>A kernel in place of libkrunfw's. 1.11.</summary>
    internal sealed record SetKernel(string Path, KrunKernelFormat Format, string? Initramfs, string CommandLine) : KrunCall("krun_set_kernel");

    /// <summary>A folder of the host, over virtio-fs.</summary>
    internal sealed record SetRoot(string Path) : KrunCall("krun_set_root");

    /// <summary>What libkrun's init executes. The arguments are without argv[0].</summary>
    internal sealed record SetExec(string Path, IReadOnlyList<string> Arguments, IReadOnlyList<string> Environment) : KrunCall("krun_set_exec");

    /// <summary>A block device. 1.10.</summary>
    internal sealed record AddDisk2(string Id, string Path, KrunDiskFormat Format, bool ReadOnly) : KrunCall("krun_add_disk2");

    /// <summary>A block device that says what becomes of flushes. 1.17.</summary>
    internal sealed record AddDisk3(string Id, string Path, KrunDiskFormat Format, bool ReadOnly, bool DirectIo, KrunSyncMode Sync) : KrunCall("krun_add_disk3");

    /// <summary>A folder of the host, over virtio-fs.</summary>
    internal sealed record AddVirtiofs(string Tag, string Path) : KrunCall("krun_add_virtiofs");

    /// <summary>A folder of the host that may be read-only; no window of shared memory. 1.17.</summary>
    internal sealed record AddVirtiofs3(string Tag, string Path, ulong SharedMemory, bool ReadOnly) : KrunCall("krun_add_virtiofs3");

    /// <summary>No vsock device but the one of <see cref="AddVsock"/>. 1.17.</summary>
    internal sealed record DisableImplicitVsock() : KrunCall("krun_disable_implicit_vsock");

    /// <summary>The vsock device, and which sockets of the guest it takes over. 1.17.</summary>
    internal sealed record AddVsock(uint TsiFeatures) : KrunCall("krun_add_vsock");

    /// <summary>A port of the guest as a Unix socket of the host. 1.10.</summary>
    internal sealed record AddVsockPort2(uint Port, string Socket, bool Listen) : KrunCall("krun_add_vsock_port2");

    /// <summary>An interface over a stream of frames. 1.15.</summary>
    internal sealed record AddNetUnixstream(string Socket, MacAddress Mac, uint Features, uint Flags) : KrunCall("krun_add_net_unixstream");

    /// <summary>An interface over datagrams. 1.15.</summary>
    internal sealed record AddNetUnixgram(string Socket, MacAddress Mac, uint Features, uint Flags) : KrunCall("krun_add_net_unixgram");

    /// <summary>Takes a connected socket; who makes the call connects it.</summary>
    internal sealed record SetPasstFd(string Socket) : KrunCall("krun_set_passt_fd");

    /// <summary>As <see cref="AddNetUnixgram"/>, with offloads that cannot be chosen.</summary>
    internal sealed record SetGvproxyPath(string Socket) : KrunCall("krun_set_gvproxy_path");

    /// <summary>The address of that interface, and of the one of <see cref="SetPasstFd"/>.</summary>
    internal sealed record SetNetMac(MacAddress Mac) : KrunCall("krun_set_net_mac");

    /// <summary>Each <c>HOST:GUEST</c>.</summary>
    internal sealed record SetPortMap(IReadOnlyList<string> Ports) : KrunCall("krun_set_port_map");

    /// <summary>Never returns once the machine runs: libkrun ends the process.</summary>
    internal sealed record StartEnter() : KrunCall("krun_start_enter");
}

/// <summary>KRUN_KERNEL_FORMAT_*.</summary>
internal enum KrunKernelFormat : uint
{
    /// <summary>arm64's Image.</summary>
    Raw = 0,

    /// <summary>x86-64's vmlinux.</summary>
    Elf = 1,

    /// <summary>arm64's EFI image with a gzip'ed kernel in it.</summary>
    PeGzip = 2,

    /// <summary>x86-64's bzImage by its compression.</summary>
    ImageBzip2 = 3,

    /// <inheritdoc cref="ImageBzip2"/>
    ImageGzip = 4,

    /// <inheritdoc cref="ImageBzip2"/>
    ImageZstd = 5,
}

/// <summary>KRUN_DISK_FORMAT_*.</summary>
internal enum KrunDiskFormat : uint
{
    /// <summary>The bytes of the disk.</summary>
    Raw = 0,

    /// <summary>QEMU's copy-on-write format.</summary>
    Qcow2 = 1,
}

/// <summary>KRUN_SYNC_*.</summary>
internal enum KrunSyncMode : uint
{
    /// <summary>Flushes of the guest are not passed on.</summary>
    None = 0,

    /// <summary>On macOS they end in the drive's own buffers.</summary>
    Relaxed = 1,

    /// <summary>They end on the disk.</summary>
    Full = 2,
}
