using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Images;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <inheritdoc/>
    public async Task<StartPlan> PlanAsync(InstanceConfig config, CancellationToken cancellationToken = default)
    {
        Validate(config);
        config = OfItsBaseImage(config.Mode == GuestMode.Exec ? config : OfItsDisk(config, _store.Files(InstanceName.Parse(config.Name))));
        var (filled, host) = await FitAsync(config, cancellationToken).ConfigureAwait(false);
        var files = config.Mode == GuestMode.Exec
            ? InstanceFiles.Ephemeral(Options.Directories, "0-0-0")
            : _store.Files(InstanceName.Parse(config.Name));
        var notes = new List<string>([.. AcceleratorChoice.Notes(filled.Hypervisor!, host), .. InstanceValidator.Notes(filled with { Distribution = config.Distribution }, host)]);
        filled = WithPorts(filled, files, notes);
        var plan = BootPlanner.Plan(filled, host, await ImagesAsync(filled, notes, cancellationToken).ConfigureAwait(false), files, StateDisk.FormatFor(host, files));
        return new StartPlan(filled, host, plan, Processes(plan, host, files, filled.DiskGib), notes);
    }

    /// <summary>The configuration with every default filled in, as far as this host can run it.</summary>
    /// <exception cref="FaultException">It cannot.</exception>
    private async Task<(InstanceConfig Filled, HostFacts Host)> FitAsync(InstanceConfig config, CancellationToken cancellationToken)
    {
        var host = await Options.ProbeAsync(config, cancellationToken).ConfigureAwait(false);
        var filled = InstanceDefaults.Fill(config, host);
        HypervisorCatalog.ThrowIfUnfit(filled, host);
        DeliveryFiles.ThrowIfUnfit(filled);
        Mounts.MountRules.ThrowIfUnfit(filled, host);
        return (filled, host);
    }

    private async Task<ImageSet?> ImagesAsync(InstanceConfig config, List<string> notes, CancellationToken cancellationToken)
    {
        if (config.RootDirectory is not null)
            return null;
        if (config.Pinned is { } pinned)
            return await pinned.FindAsync(Options.Directories, null, cancellationToken).ConfigureAwait(false);
        if (await Options.EffectiveImages.FindAsync(ImageRequest.For(config), cancellationToken).ConfigureAwait(false) is { } images)
            return images;
        notes.Add("The image is not built yet; the paths of its parts are known once it is: 'gateway image build', or the first start, builds it.");
        return new ImageSet { Kernel = "/not/built/yet/kernel", Initramfs = config.Kernel is null or KernelNames.Debian ? "/not/built/yet/initramfs" : null, Root = "/not/built/yet/root", Key = "not built yet" };
    }

    /// <summary>The ports as a start at this moment would choose them; that one is busy is a note here, since nothing is started.</summary>
    private static InstanceConfig WithPorts(InstanceConfig config, InstanceFiles files, List<string> notes)
    {
        try
        {
            var last = LastStatus(files);
            if (InstanceLock.SupervisorOf(files) is not null)
                return config with { GatewayPort = last?.Ports.FirstOrDefault(p => p.GuestPort == GuestNetworkPlan.GatewayPort)?.HostPort ?? config.GatewayPort };
            var ports = PortPlanner.Choose(config, last?.Ports ?? []);
            return config with { GatewayPort = ports.Gateway?.HostPort ?? config.GatewayPort, Ports = ports.User };
        }
        catch (FaultException e)
        {
            notes.AddRange(e.Faults.Select(f => $"{f.What} {f.Remedy}"));
            return config;
        }
    }

    private static List<LaunchSpec> Processes(BootPlan plan, HostFacts host, InstanceFiles files, int? diskGib)
    {
        var processes = new List<LaunchSpec>();
        if (plan.Network is { } network)
            processes.Add(GvproxyCommandLine.Describe(host.Gvproxy ?? "gvproxy", files, network.Datagrams));
        if (plan.Disks.Any(d => d is { ReadOnly: false, Format: DiskFormat.Qcow2 }) && !File.Exists(files.StateDisk))
            processes.Add(StateDisk.Describe(host.QemuImg ?? "qemu-img", files.StateDisk, files, diskGib ?? StateDisk.SizeGib));
        processes.AddRange(plan.Shares.Where(s => s.Socket is not null).Select(s => Mounts.VirtiofsdCommandLine.Describe(host.Virtiofsd!, s, files)));
        processes.Add((HypervisorCatalog.Find(plan.Hypervisor) ?? throw new InvalidOperationException($"no hypervisor {plan.Hypervisor}")).Describe(plan, host));
        return processes;
    }
}
