using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Planning;

/// <summary>Turns what was asked for and what there is into a machine. Pure: it reads and writes nothing.</summary>
public static class BootPlanner
{
    /// <summary>The plan.</summary>
    /// <param name="config">Validated, with its defaults filled in (<see cref="InstanceDefaults.Fill"/>) and a port in place of each 0.</param>
    /// <param name="host">What there is.</param>
    /// <param name="images">What is booted; <see langword="null"/> when the root is a folder of the host.</param>
    /// <param name="files">Where everything goes.</param>
    /// <param name="stateDisk">The format of the instance's disk.</param>
    public static BootPlan Plan(InstanceConfig config, HostFacts host, ImageSet? images, InstanceFiles files, DiskFormat stateDisk = DiskFormat.Qcow2)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(files);
        var hypervisor = config.Hypervisor ?? throw new ArgumentException("Defaults are not filled in.", nameof(config));
        var accelerator = AcceleratorChoice.Best(hypervisor, host);
        IReadOnlyList<Disk> disks =
        [
            .. images is null ? (Disk[])[] : [Root(images)],
            .. config.Mode == GuestMode.Cluster ? (Disk[])[State(files, stateDisk)] : [],
            .. DeliveryFiles.AreNamed(config) ? (Disk[])[Delivery(files)] : [],
        ];
        var plan = new BootPlan
        {
            Instance = config.Name,
            Hypervisor = hypervisor,
            Architecture = host.GuestArchitecture,
            Accelerator = accelerator,
            Vcpus = config.Vcpus ?? throw new ArgumentException("Defaults are not filled in.", nameof(config)),
            MemoryMib = config.MemoryMib ?? throw new ArgumentException("Defaults are not filled in.", nameof(config)),
            Kernel = images?.Kernel,
            Initramfs = images?.Initramfs,
            KernelArguments = KernelCommandLine.For(host.GuestArchitecture, accelerator, mountsRoot: images is { Initramfs: null }, isCluster: config.Mode == GuestMode.Cluster),
            RootDirectory = config.RootDirectory,
            Disks = disks,
            Shares = MountRules.Plan(config, host, files),
            Network = config.Network == NetworkNames.Gvproxy ? new NetworkInterface(GuestNetworkPlan.GuestMac, files.NetworkSocket) : null,
            AgentSocket = files.GuestSocket,
            ControlSocket = files.QmpSocket,
            ConsoleLog = files.ConsoleLog,
            VmmLog = files.VmmLog,
        };
        return hypervisor == HypervisorNames.Libkrun ? ForLibkrun(plan, config, host, files) : plan;
    }

    private static BootPlan ForLibkrun(BootPlan plan, InstanceConfig config, HostFacts host, InstanceFiles files) => plan with
    {
        // libkrunfw's kernel comes with arguments of libkrun's own; only the names of the disks are added to them.
        KernelArguments = plan.Kernel is null ? KernelCommandLine.DiskNames(plan.Disks) : KernelCommandLine.UnderLibkrun(plan.Disks, mountsRoot: plan.Initramfs is null),
        Network = plan.Network is { } network ? network with { Datagrams = host.OperatingSystem == "macos" } : null,
        ControlSocket = null,
        VmmLog = files.KrunLog,
        Krun = new KrunPlan
        {
            PlanFile = files.Plan,
            FaultFile = files.VmmFault,
            Library = host.Libkrun ?? "libkrun",
            Firmware = host.Libkrunfw,
            LogLevel = config.KrunLogLevel ?? InstanceDefaults.KrunLogLevel,
            TsiPorts = config.Network == NetworkNames.Tsi ? config.Ports : null,
        },
    };

    /// <summary>The same machine with the disk of what it was given along at an earlier start.</summary>
    internal static BootPlan WithDelivery(BootPlan plan, InstanceFiles files) => plan with { Disks = [.. plan.Disks, Delivery(files)] };

    private static Disk Root(ImageSet images) => new() { Serial = GuestPaths.RootSerial, Path = images.Root, Format = DiskFormat.Raw, ReadOnly = true };

    private static Disk Delivery(InstanceFiles files) => new() { Serial = GuestPaths.DeliverySerial, Path = files.DeliveryDisk, Format = DiskFormat.Raw, ReadOnly = true };

    private static Disk State(InstanceFiles files, DiskFormat format) => new() { Serial = GuestPaths.StateLabel, Path = files.StateDiskOf(format), Format = format, ReadOnly = false };
}
