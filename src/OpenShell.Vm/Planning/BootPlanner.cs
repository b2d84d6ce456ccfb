using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Planning;

/// <summary>Turns what was asked for and what there is into a machine. Pure: it reads and writes nothing.</summary>
public static class BootPlanner
{
    /// <summary>The plan.</summary>
    /// <param name="config">Validated, with its defaults filled in (<see cref="InstanceDefaults.Fill"/>).</param>
    /// <param name="host">What there is.</param>
    /// <param name="images">What is booted.</param>
    /// <param name="files">Where everything goes.</param>
    public static BootPlan Plan(InstanceConfig config, HostFacts host, ImageSet images, InstanceFiles files)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(files);
        var accelerator = AcceleratorChoice.Best(host);
        return new BootPlan
        {
            Instance = config.Name,
            Hypervisor = config.Hypervisor ?? throw new ArgumentException("Defaults are not filled in.", nameof(config)),
            Accelerator = accelerator,
            Vcpus = config.Vcpus ?? throw new ArgumentException("Defaults are not filled in.", nameof(config)),
            MemoryMib = config.MemoryMib ?? throw new ArgumentException("Defaults are not filled in.", nameof(config)),
            Kernel = images.Kernel,
            Initramfs = images.Initramfs,
            KernelArguments = KernelCommandLine.For(accelerator),
            Disks = config.Mode == GuestMode.Cluster ? [Root(images), State(files)] : [Root(images)],
            Network = config.Network == "none" ? null : new NetworkInterface(GuestNetworkPlan.GuestMac, files.NetworkSocket),
            AgentSocket = files.GuestSocket,
            ControlSocket = files.QmpSocket,
            ConsoleLog = files.ConsoleLog,
            VmmLog = files.VmmLog,
        };
    }

    private static Disk Root(ImageSet images) => new() { Serial = GuestPaths.RootSerial, Path = images.Root, Format = DiskFormat.Raw, ReadOnly = true };

    private static Disk State(InstanceFiles files) => new() { Serial = GuestPaths.StateLabel, Path = files.StateDisk, Format = DiskFormat.Qcow2, ReadOnly = false };
}
