using System.Globalization;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>
/// Turns a plan into calls, by what the libkrun at hand exports: it has no call that tells its version. Pure; golden files test it for every level. Nothing older
/// than 1.11 does: a kernel of one's own (<c>krun_set_kernel</c>) came with that, a socket on which the host dials (<c>krun_add_vsock_port2</c>) with 1.10.
/// </summary>
internal static class KrunCalls
{
    /// <summary>KRUN_TSI_HIJACK_INET.</summary>
    private const uint TsiHijackInet = 1;

    /// <summary>NET_FLAG_VFKIT: libkrun says hello to gvproxy as vfkit would.</summary>
    private const uint VfkitFlag = 1;

    /// <summary>
    /// No offloads. libkrun offers the guest what it is told to without asking its peer (https://github.com/containers/libkrun/issues/264), gvproxy takes frames of
    /// the MTU, and with offloads the interface has been seen to stop for good under load (https://github.com/containers/libkrun/issues/555). krunkit's default too.
    /// </summary>
    private const uint NoFeatures = 0;

    /// <summary>All calls between making the context and the end, in order.</summary>
    /// <param name="plan">The machine.</param>
    /// <param name="kernel">The format of the plan's kernel, if it has one.</param>
    /// <param name="exports">Whether libkrun has a function.</param>
    /// <exception cref="Faults.FaultException">A function is missing for which there is no substitute.</exception>
    internal static IReadOnlyList<KrunCall> For(BootPlan plan, KrunKernelFormat? kernel, Func<string, bool> exports)
    {
        var krun = plan.Krun ?? throw new ArgumentException("Not a plan for libkrun.", nameof(plan));
        KrunCall[] calls =
        [
            new KrunCall.SetVmConfig(checked((byte)plan.Vcpus), checked((uint)plan.MemoryMib)),
            new KrunCall.SetConsoleOutput(plan.ConsoleLog),
            .. kernel is { } format ? Kernel(plan, format) : Directory(plan),
            .. plan.Disks.Select(disk => Disk(disk, exports)),
            .. plan.Shares.Select(share => Share(share, exports)),
            .. Vsock(plan, krun, exports),
            .. plan.Network is { } network ? Network(network, exports) : [],

            // An empty map, not none: without one libkrun opens every port of the guest on the host. After the network, as the header asks.
            .. krun.TsiPorts is { } ports ? [new KrunCall.SetPortMap([.. ports.Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.HostPort}:{p.GuestPort}"))])] : (KrunCall[])[],

            // The host dials, the guest listens: a guest that could dial would let each of its pods call the supervisor.
            new KrunCall.AddVsockPort2(GuestPaths.AgentVsockPort, plan.AgentSocket, Listen: true),
            new KrunCall.StartEnter(),
        ];
        foreach (var call in calls)
        {
            if (!exports(call.Function))
                throw KrunFaults.Missing(call.Function, Why(call));
        }

        return calls;
    }

    /// <summary>How it is told to log, which is for the whole process and comes before the context.</summary>
    internal static KrunCall Log(int level, Func<string, bool> exports) =>
        exports("krun_init_log") ? new KrunCall.InitLog((uint)level) : new KrunCall.SetLogLevel((uint)level);

    private static KrunCall[] Kernel(BootPlan plan, KrunKernelFormat format) =>
        [new KrunCall.SetKernel(plan.Kernel!, format, plan.Initramfs, string.Join(' ', plan.KernelArguments))];

    // libkrun's own init mounts the folder and executes PID 1 of ours: as PID 1 since 1.16, which has the variable for it; before 1.12 always, in between as a child.
    // The list is never null: libkrun would then give the guest the whole environment of this process.
    private static KrunCall[] Directory(BootPlan plan) =>
    [
        new KrunCall.SetRoot(plan.RootDirectory ?? throw new ArgumentException("Neither a kernel nor a folder.", nameof(plan))),
        new KrunCall.SetExec(GuestPaths.Init, [GuestPaths.InitInDirectory], ["KRUN_INIT_PID1=1", .. plan.KernelArguments]),
    ];

    private static KrunCall Disk(Disk disk, Func<string, bool> exports)
    {
        var format = disk.Format == DiskFormat.Raw ? KrunDiskFormat.Raw : KrunDiskFormat.Qcow2;

        // etcd answers for what it has flushed; a read-only disk has nothing to flush.
        return exports("krun_add_disk3")
            ? new KrunCall.AddDisk3(disk.Serial, disk.Path, format, disk.ReadOnly, DirectIo: false, disk.ReadOnly ? KrunSyncMode.None : KrunSyncMode.Full)
            : new KrunCall.AddDisk2(disk.Serial, disk.Path, format, disk.ReadOnly);
    }

    private static KrunCall Share(SharedFolder share, Func<string, bool> exports)
    {
        if (exports("krun_add_virtiofs3"))
            return new KrunCall.AddVirtiofs3(share.Tag, share.Path, SharedMemory: 0, share.ReadOnly);

        // A mount that is read-only by the guest's own word alone is not read-only.
        return share.ReadOnly ? throw KrunFaults.Missing("krun_add_virtiofs3", "a read-only mount needs 1.17") : new KrunCall.AddVirtiofs(share.Tag, share.Path);
    }

    /// <summary>
    /// The device of the agent channel. Left to itself libkrun adds one when a port is mapped, and turns TSI on where there is no interface: then a guest without a
    /// network would have the host's.
    /// </summary>
    private static KrunCall[] Vsock(BootPlan plan, KrunPlan krun, Func<string, bool> exports)
    {
        if (exports("krun_disable_implicit_vsock") && exports("krun_add_vsock"))
            return [new KrunCall.DisableImplicitVsock(), new KrunCall.AddVsock(krun.TsiPorts is null ? 0 : TsiHijackInet)];
        return plan.Network is null && krun.TsiPorts is null
            ? throw KrunFaults.Missing("krun_disable_implicit_vsock", "without it (before 1.17) a machine without a network would get the host's")
            : [];
    }

    private static KrunCall[] Network(NetworkInterface network, Func<string, bool> exports)
    {
        var mac = new MacAddress(network.MacAddress);
        if (network.Datagrams)
        {
            return exports("krun_add_net_unixgram")
                ? [new KrunCall.AddNetUnixgram(network.Socket, mac, NoFeatures, VfkitFlag)]
                : [new KrunCall.SetGvproxyPath(network.Socket), new KrunCall.SetNetMac(mac)];
        }

        // passt and gvproxy (-listen-qemu) speak alike: frames behind a length of four bytes.
        return exports("krun_add_net_unixstream")
            ? [new KrunCall.AddNetUnixstream(network.Socket, mac, NoFeatures, Flags: 0)]
            : [new KrunCall.SetPasstFd(network.Socket), new KrunCall.SetNetMac(mac)];
    }

    private static string Why(KrunCall call) => call switch
    {
        KrunCall.SetKernel => "a kernel of one's own needs 1.11",
        KrunCall.AddVsockPort2 => "the agent channel needs 1.10",
        KrunCall.AddVirtiofs => "mounts need 1.8",
        KrunCall.AddDisk2 => "disks need 1.10 and a build with BLK=1",
        KrunCall.SetPasstFd or KrunCall.SetGvproxyPath or KrunCall.SetNetMac => "an interface needs a build with NET=1",
        _ => "it is not the library that this program knows",
    };
}
