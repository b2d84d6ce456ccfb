using System.Globalization;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Instances;

/// <summary>What is wrong with the part of a configuration that is for libkrun. Pure.</summary>
internal static class KrunOptionRules
{
    /// <summary>KRUN_LOG_LEVEL_TRACE.</summary>
    private const int MaxLogLevel = 5;

    internal static IEnumerable<Fault> Validate(InstanceConfig config) => [.. Values(config), .. Hypervisor(config), .. Tsi(config)];

    private static IEnumerable<Fault> Values(InstanceConfig config)
    {
        if (config.KrunLogLevel is { } level and (< 0 or > MaxLogLevel))
        {
            yield return Usage("krun.log-level-invalid", string.Create(CultureInfo.InvariantCulture, $"--krun-log-level {level} is not between 0 and {MaxLogLevel}."),
                "Give 0 (off), 1 (errors), 2 (warnings), 3 (info), 4 (debug) or 5 (trace).");
        }

        if (config.RootDirectory is { } root && !Path.IsPathRooted(root))
            yield return Usage("krun.rootfs-invalid", $"--rootfs '{root}' is not an absolute path.", "Give a folder of this machine by its whole path.");
        if (config.RuntimeDirectory is { } runtime && !Path.IsPathRooted(runtime))
            yield return Usage("krun.runtime-dir-invalid", $"--runtime-dir '{runtime}' is not an absolute path.", "Give a folder of this machine by its whole path.");
    }

    private static IEnumerable<Fault> Hypervisor(InstanceConfig config)
    {
        if (config.Hypervisor is null or HypervisorNames.Libkrun || HypervisorCatalog.Find(config.Hypervisor) is null)
            yield break;
        var only = new (string Option, bool Given)[]
        {
            ("--rootfs", config.RootDirectory is not null),
            ("--krun-log-level", config.KrunLogLevel is not null),
            ($"--network {NetworkNames.Tsi}", config.Network == NetworkNames.Tsi),
        };
        foreach (var (option, _) in only.Where(o => o.Given))
            yield return Usage("krun.hypervisor-needed", $"{option} is for libkrun, but --hypervisor {config.Hypervisor} was asked for.", $"Leave one of the two away, or write --hypervisor {HypervisorNames.Libkrun}.");
    }

    private static IEnumerable<Fault> Tsi(InstanceConfig config)
    {
        if (config.Network != NetworkNames.Tsi)
            yield break;
        if (config.Mode == GuestMode.Cluster)
        {
            yield return Usage("network.tsi-breaks-cluster", "--network tsi takes over connections within the guest too, which a cluster does not survive.", "Use --network gvproxy for a cluster; tsi is for --exec.");
        }
        else if (config.RootDirectory is null)
        {
            yield return Usage("network.tsi-needs-rootfs", "--network tsi needs libkrunfw's kernel, which boots a folder: there is no --rootfs.", "Add --rootfs DIR, or use --network gvproxy.");
        }

        foreach (var port in config.Ports.Where(p => p.Protocol != PortProtocol.Tcp))
            yield return Usage("network.tsi-protocol", $"{port.Option()}: --network tsi forwards TCP ports alone.", "Use --network gvproxy for it.");
        foreach (var port in config.Ports.Where(p => p.HostAddress != "127.0.0.1"))
        {
            yield return Usage("network.tsi-address", $"-p {port.HostAddress}:{port.HostPort}:{port.GuestPort}: with --network tsi the program in the guest chooses the address.",
                "Leave the address away, and let the program listen on 127.0.0.1.");
        }
    }

    private static Fault Usage(string code, string what, string remedy) => InstanceValidator.Usage(code, what, remedy);
}
