using System.Globalization;
using OpenShell.Vm.Distributions;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Running;

/// <summary>What was asked for and is not so in a machine that runs already.</summary>
internal static class RunningDifferences
{
    /// <summary>The options, as one would type them; empty when the running machine is what was asked for.</summary>
    public static IReadOnlyList<string> Of(InstanceConfig asked, InstanceStatus running) =>
    [
        .. Differs("--vcpus", asked.Vcpus, running.Vcpus),
        .. Differs("--mem", asked.MemoryMib, running.MemoryMib),
        .. asked.Hypervisor is { } hypervisor && running.Hypervisor is { } used && hypervisor != used ? [$"--hypervisor {hypervisor}"] : (string[])[],
        .. asked.Distribution is { } distribution and not DistributionChoice.Auto && running.Distribution is { } runs && distribution != runs ? [$"--distribution {distribution}"] : (string[])[],
        .. asked.Pinned is { } pinned && running.Bundle != pinned.Bundle ? ["--bundle"] : (string[])[],
        .. asked.GatewayPort is { } port and not 0 && running.Endpoint is { } endpoint && new Uri(endpoint).Port != port ? [$"--gateway-port {port}"] : (string[])[],
        .. asked.Ports.Where(p => !running.Ports.Any(r => r with { HostPort = 0 } == p with { HostPort = 0 } && (p.HostPort == 0 || r.HostPort == p.HostPort))).Select(p => p.Option()),
        .. asked.Mounts.Where(m => !running.Mounts.Contains(m)).Select(m => m.Option()),
    ];

    private static string[] Differs(string option, int? asked, int? running) =>
        asked is { } value && running is { } now && value != now ? [string.Create(CultureInfo.InvariantCulture, $"{option} {value}")] : [];
}
