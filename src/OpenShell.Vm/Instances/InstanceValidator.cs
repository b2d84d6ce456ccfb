using System.Globalization;
using System.Net;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Distributions;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Images.Registry;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Instances;

/// <summary>Finds everything that is wrong with a configuration, before anything is changed. Pure: it does not look at the host, it is told about it.</summary>
public static class InstanceValidator
{
    /// <summary>QEMU's q35 allows more; a guest of more than this many is a mistake.</summary>
    public const int MaxVcpus = 255;

    /// <summary>Below this the kernel, the root's page cache and the program do not fit, in MiB.</summary>
    public const int MinExecMemoryMib = 128;

    /// <summary>Below this the control plane is killed for want of memory, in MiB.</summary>
    public const int MinClusterMemoryMib = 2048;

    /// <summary>All faults, in the order of the fields; empty when there is none. Each names the field and the remedy.</summary>
    /// <param name="config">What the user asked for.</param>
    /// <param name="cores">Logical processors of the host.</param>
    /// <param name="memoryMib">Memory of the host in MiB.</param>
    public static IReadOnlyList<Fault> Validate(InstanceConfig config, int cores, int memoryMib)
    {
        ArgumentNullException.ThrowIfNull(config);
        return
        [
            .. Name(config),
            .. Program(config),
            .. Vcpus(config, cores),
            .. Memory(config, memoryMib),
            .. Disk(config),
            .. Names(config),
            .. KrunOptionRules.Validate(config),
            .. Ports(config),
            .. MountRules.Validate(config),
            .. Restart(config),
            .. Saving(config),
            .. Timeout(config),
        ];
    }

    /// <summary>What is allowed, but worth saying.</summary>
    public static IReadOnlyList<string> Notes(InstanceConfig config, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(host);
        return
        [
            .. config.Vcpus > host.Cores
                ? [string.Create(CultureInfo.InvariantCulture, $"{config.Vcpus} virtual CPUs share {host.Cores} processors of the host: the guest will not be faster for it.")]
                : (string[])[],
            .. config is { Mode: GuestMode.Exec, AllowHostLoopback: false, Proxy: { } proxy } && HostProxy.IsOnLoopback(proxy)
                ? ["The proxy on this machine's loopback is not used: --allow-host-loopback lets the program reach it, and all else there."]
                : (string[])[],
            .. MountRules.Notes(config),
            .. DistributionChoice.Notes(config, host),
        ];
    }

    private static IEnumerable<Fault> Saving(InstanceConfig config)
    {
        if (config.Start is { } start && !Snapshots.StartKinds.All.Contains(start))
            yield return Usage("instance.start-invalid", $"--start '{start}' is not known.", $"Give one of {string.Join(", ", Snapshots.StartKinds.All)}.");
        if (config is { Mode: GuestMode.Exec, Start: not (null or Snapshots.StartKinds.Auto or Snapshots.StartKinds.Boot) })
            yield return Usage("instance.start-invalid", $"--start {config.Start} is for clusters: a program's machine boots.", "Leave --start out.");
        if (config is { Mode: GuestMode.Exec, IdleSuspend: not null })
            yield return Usage("instance.idle-invalid", "--idle-suspend is for clusters: a program's machine lives as long as its program.", "Leave --idle-suspend out.");
    }

    private static IEnumerable<Fault> Restart(InstanceConfig config)
    {
        if (config.Restart is not { } policy)
            yield break;
        if (!RestartPolicies.All.Contains(policy))
            yield return Usage("instance.restart-invalid", $"--restart '{policy}' is not known.", $"Give one of {string.Join(", ", RestartPolicies.All)}.");
        if (config.Mode == GuestMode.Exec && policy != RestartPolicies.No)
            yield return Usage("exec.restart", "--restart does not go with --exec: that machine lives as long as its program.", "Leave it away.");
    }

    private static IEnumerable<Fault> Name(InstanceConfig config) =>
        InstanceName.TryParse(config.Name, out _, out var fault) ? [] : [fault];

    private static IEnumerable<Fault> Program(InstanceConfig config)
    {
        if (config.Mode == GuestMode.Exec && string.IsNullOrEmpty(config.Exec?.Program))
            yield return Usage("exec.no-program", "There is no program to run.", "Give its path in the guest: --exec /bin/true.");
        foreach (var variable in config.Exec?.Environment ?? [])
        {
            if (variable.IndexOf('=', StringComparison.Ordinal) <= 0)
                yield return Usage("exec.env-invalid", $"--env '{variable}' is not of the form KEY=VALUE.", "Write --env KEY=VALUE.");
        }

        if (config.Exec?.WorkingDirectory is { } folder && !folder.StartsWith('/'))
            yield return Usage("exec.workdir-invalid", $"--workdir '{folder}' is not an absolute path.", "Give a path in the guest that begins with '/'.");
    }

    private static IEnumerable<Fault> Vcpus(InstanceConfig config, int cores)
    {
        if (config.Vcpus is { } vcpus and (< 1 or > MaxVcpus))
        {
            yield return Usage("instance.vcpus-invalid", string.Create(CultureInfo.InvariantCulture, $"--vcpus {vcpus} is not between 1 and {MaxVcpus}."),
                string.Create(CultureInfo.InvariantCulture, $"This host has {cores} processors: give 1 to {cores}; more only share them."));
        }
    }

    private static IEnumerable<Fault> Memory(InstanceConfig config, int hostMib)
    {
        var minimum = config.Mode == GuestMode.Cluster ? MinClusterMemoryMib : MinExecMemoryMib;
        var what = config.Mode == GuestMode.Cluster ? "a cluster" : "a program's VM";
        if (config.MemoryMib < minimum)
        {
            yield return Usage("instance.memory-too-small", string.Create(CultureInfo.InvariantCulture, $"--mem {config.MemoryMib} (MiB) is too little for {what}, which needs {minimum}."),
                string.Create(CultureInfo.InvariantCulture, $"Give at least --mem {minimum}."));
        }

        // Also when nothing was asked for: the default must fit too.
        var asked = config.MemoryMib ?? (config.Mode == GuestMode.Cluster ? InstanceDefaults.ClusterMemoryMib : InstanceDefaults.ExecMemoryMib);
        if (asked > hostMib)
        {
            yield return Usage("instance.memory-too-large", string.Create(CultureInfo.InvariantCulture, $"The VM would have {asked} MiB of memory; this host has {hostMib} MiB."),
                string.Create(CultureInfo.InvariantCulture, $"Give less with --mem: {minimum} or more, and leave some for the host."));
        }
    }

    private static IEnumerable<Fault> Disk(InstanceConfig config)
    {
        if (config.DiskGib is { } gib and (< Supervision.StateDisk.MinSizeGib or > Supervision.StateDisk.MaxSizeGib))
        {
            yield return Usage("instance.disk-size-invalid", string.Create(CultureInfo.InvariantCulture, $"A disk of {gib} GiB is not between {Supervision.StateDisk.MinSizeGib} and {Supervision.StateDisk.MaxSizeGib} GiB."),
                "Give a size in between; it takes space on this machine only as it is used.");
        }
    }

    /// <summary>What is wrong with the choice of a distribution.</summary>
    internal static IEnumerable<Fault> DistributionFaults(InstanceConfig config)
    {
        if (config.Distribution is { } distribution and not DistributionChoice.Auto && DistributionCatalog.Find(distribution) is null)
            yield return Unknown("distribution", distribution, DistributionCatalog.All.Select(d => d.Name).Prepend(DistributionChoice.Auto));
        if (config is { K3sBinary: not null, Distribution: Upstream.DistributionName })
            yield return Usage("instance.k3s-binary-unused", "--k3s-binary is for k3s, but --distribution upstream was asked for.", "Leave one of the two away.");
        if (config is { K3sBinary: null, Mode: GuestMode.Cluster, Distribution: not Upstream.DistributionName, Pinned: null, RootDirectory: null } && K3sRelease.MirrorFault is { } mirror)
            yield return mirror;
        if (config is { K3sBinary: not null, Mode: GuestMode.Exec })
            yield return Usage("instance.k3s-binary-unused", "--k3s-binary is for a cluster, but --exec runs one program.", "Leave one of the two away.");
    }

    private static IEnumerable<Fault> BaseImageFaults(InstanceConfig config)
    {
        if (config.BaseImage is { } image && image != BaseImageSource.None && BaseImageSource.FaultOf(image) is { } fault)
            yield return fault;
        if (config is { BaseImage: not (null or BaseImageSource.None), RootDirectory: not null })
            yield return Usage("instance.base-image-unused", "--base-image is what a root image is made of, but --rootfs takes a folder in its place.", "Leave one of the two away.");
        if (config is { BaseImage: not (null or BaseImageSource.None), Pinned: not null })
            yield return Usage("instance.base-image-unused", "--base-image is what a root image is made of, but --bundle brings one along.", "Leave one of the two away.");
    }

    private static IEnumerable<Fault> Names(InstanceConfig config)
    {
        if (config.Hypervisor is { } hypervisor && HypervisorCatalog.Find(hypervisor) is null)
            yield return Unknown("hypervisor", hypervisor, HypervisorCatalog.All.Select(h => h.Name).Prepend("auto"));
        if (config.Architecture is { } architecture && !Images.Architectures.All.Contains(architecture))
            yield return Unknown("arch", architecture, Images.Architectures.All);
        else if (config.IsForeign && (config.Hypervisor == HypervisorNames.Libkrun || HypervisorChoice.NeedsLibkrun(config)))
            yield return Usage("instance.arch-needs-qemu", $"--arch {config.Architecture} is not this machine's processor: only QEMU emulates another, and libkrun was asked for.", "Leave one of the two away.");
        else if (config is { IsForeign: true, Pinned: not null })
            yield return Usage("instance.arch-of-bundle", $"--arch {config.Architecture}: the bundle is for this machine's processor.", "Leave --arch away.");
        foreach (var fault in DistributionFaults(config))
            yield return fault;
        foreach (var fault in BaseImageFaults(config))
            yield return fault;
        if (config.Kernel is { } kernel && !KernelNames.IsKnown(kernel))
            yield return Unknown("kernel", kernel, [KernelNames.Debian, KernelNames.Custom, "the path of a file"]);
        if (!NetworkNames.All.Contains(config.Network))
            yield return Unknown("net", config.Network, NetworkNames.All);
        if (config is { Mode: GuestMode.Cluster, Network: "none" })
            yield return Usage("instance.network-needed", "A cluster without a network could not be reached.", "Leave out --network none, or run one program with --exec.");
    }

    internal static IEnumerable<Fault> Ports(InstanceConfig config)
    {
        if (config.Network == "none" && config.Ports.Count + config.AddedPorts.Count > 0)
            yield return Usage("network.ports-without-network", "There are no ports to forward without a network.", "Leave out -p, or --net none.");

        if (config.GatewayPort is { } gatewayPort and (< 0 or > IPEndPoint.MaxPort))
            yield return Usage("network.port-invalid", string.Create(CultureInfo.InvariantCulture, $"--gateway-port {gatewayPort} is not between 0 and {IPEndPoint.MaxPort}."), "Write --gateway-port with a port from 1 to 65535; 0 takes a free one.");

        var gateway = config.GatewayPort ?? (config.Name == InstanceName.Default ? GuestNetworkPlan.GatewayPort : 0);
        var taken = new List<(PortForward Forward, string By)>();
        if (config.Mode == GuestMode.Cluster && gateway != 0)
            taken.Add((new PortForward { HostPort = gateway, GuestPort = GuestNetworkPlan.GatewayPort }, "the gateway"));

        foreach (var port in config.Ports.Concat(config.AddedPorts))
        {
            var text = port.Option();
            if (port.HostPort is < 0 or > IPEndPoint.MaxPort)
                yield return BadPort(text, port.HostPort);
            if (port.GuestPort is < 1 or > IPEndPoint.MaxPort)
                yield return BadPort(text, port.GuestPort);
            if (!IPAddress.TryParse(port.HostAddress, out _))
                yield return Usage("network.address-invalid", $"'{port.HostAddress}' in {text} is not an IP address.", "Write -p 127.0.0.1:HOST:GUEST, or leave the address out.");
            if (port.Protocol == PortProtocol.Unix != port.HostSocket is not null || port.HostSocket is { } path && !Path.IsPathRooted(path))
                yield return Usage("network.socket-path", $"{text} has no absolute path of a socket.", "Write -p /some/folder/name.sock:GUEST.");
            if (taken.FirstOrDefault(other => other.Forward.ClashesWith(port)) is { By: { } by })
                yield return Usage("network.port-duplicate", $"{(port.HostSocket is null ? $"Port {port.HostPort}" : port.HostSocket)} of the host, in {text}, is already used by {by}.", "Give each forward a host port of its own, or 0 for a free one; 'gateway port remove' takes away one that was added before.");
            taken.Add((port, text));
        }
    }

    private static IEnumerable<Fault> Timeout(InstanceConfig config)
    {
        if (config.Timeout <= TimeSpan.Zero)
            yield return Usage("instance.timeout-invalid", "--timeout must be more than 0.", "Give it in seconds, such as --timeout 300.");
    }

    private static Fault BadPort(string text, int port) =>
        Usage("network.port-invalid", string.Create(CultureInfo.InvariantCulture, $"Port {port} in {text} is not between 1 and {IPEndPoint.MaxPort}."), "Write -p HOST:GUEST with ports from 1 to 65535; 0 as HOST takes a free one.");

    private static Fault Unknown(string option, string value, IEnumerable<string> known) =>
        Usage($"instance.{option}-unknown", $"There is no --{option} '{value}'.", $"Known: {string.Join(", ", known)}.");

    internal static Fault Usage(string code, string what, string remedy) => new() { Code = code, What = what, Remedy = remedy, IsUsage = true };
}
