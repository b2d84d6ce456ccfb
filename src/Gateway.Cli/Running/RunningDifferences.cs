using System.Globalization;
using OpenShell.Vm.Distributions;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Kernels;

namespace OpenShell.Gateway.Cli.Running;

/// <summary>What was asked for and is not so in a machine that runs already.</summary>
internal static class RunningDifferences
{
    /// <summary>The options, as one would type them; empty when the running machine is what was asked for. What was not asked for is no difference.</summary>
    /// <param name="asked">What this start says.</param>
    /// <param name="stored">What the machine was started with; <see langword="null"/>: that is not known.</param>
    /// <param name="running">What runs.</param>
    public static IReadOnlyList<string> Of(InstanceConfig asked, InstanceConfig? stored, InstanceStatus running) =>
        [.. FromStatus(asked, running), .. stored is null ? [] : FromConfig(asked, stored)];

    /// <summary>What the machine says of itself: its configuration may have been edited since it was started.</summary>
    private static IEnumerable<string> FromStatus(InstanceConfig asked, InstanceStatus running) =>
    [
        .. Differs("--vcpus", asked.Vcpus, running.Vcpus),
        .. Differs("--mem", asked.MemoryMib, running.MemoryMib),
        .. running.Hypervisor is { } used ? Differs("--hypervisor", asked.Hypervisor, used) : [],
        .. running.Distribution is { } runs && asked.Distribution != DistributionChoice.Auto ? Differs("--distribution", asked.Distribution, runs) : [],
        .. asked.Pinned is { } pinned && running.Bundle != pinned.Bundle ? ["--bundle"] : (string[])[],
        .. asked.GatewayPort is { } port and not 0 && running.Endpoint is { } endpoint && new Uri(endpoint).Port != port ? [$"--gateway-port {port}"] : (string[])[],
        .. asked.Ports.Where(p => !running.Ports.Any(r => r with { HostPort = 0 } == p with { HostPort = 0 } && (p.HostPort == 0 || r.HostPort == p.HostPort))).Select(p => p.Option()),
        .. asked.Mounts.Where(m => !running.Mounts.Contains(m)).Select(m => m.Option()),
        .. asked.Named.HasFlag(NamedSettings.Mounts) && asked.Mounts.Count == 0 && running.Mounts.Count > 0 ? ["--mount none"] : (string[])[],
    ];

    private static IEnumerable<string> FromConfig(InstanceConfig asked, InstanceConfig stored) =>
    [
        .. asked is { Hypervisor: null } && asked.Named.HasFlag(NamedSettings.Hypervisor) && stored.Hypervisor is not null ? ["--hypervisor auto"] : (string[])[],
        .. Differs("--arch", asked.Architecture, stored.Architecture ?? Architectures.Host),
        .. Differs("--k3s-binary", asked.K3sBinary, stored.K3sBinary),
        .. Differs("--base-image", asked.BaseImage, stored.BaseImage ?? BaseImages.None),
        .. Differs("--kernel", asked.Kernel, stored.Pinned is null ? stored.Kernel ?? KernelNames.Debian : null),
        .. Differs("--rootfs", asked.RootDirectory, stored.RootDirectory),
        .. asked.KrunLogLevel is { } level && level != (stored.KrunLogLevel ?? InstanceDefaults.KrunLogLevel) ? [$"--krun-log-level {level}"] : (string[])[],
        .. asked.Named.HasFlag(NamedSettings.Network) ? Differs("--network", asked.Network, stored.Network) : [],
        .. asked.AllowHostLoopback && !stored.AllowHostLoopback ? ["--allow-host-loopback"] : (string[])[],
        .. Differs("--restart", asked.Restart, stored.Restart ?? RestartPolicies.No),
        .. asked.Named.HasFlag(NamedSettings.IdleSuspend) && asked.IdleSuspend != stored.IdleSuspend ? [$"--idle-suspend {Text(asked.IdleSuspend)}"] : (string[])[],
        .. Missing("--manifests", asked.Workload?.Manifests, stored.Workload?.Manifests),
        .. Missing("--images", asked.Workload?.Images, stored.Workload?.Images),
        .. Missing("--chart", asked.Workload?.Charts, stored.Workload?.Charts),
        .. Missing("--ca", asked.CertificateAuthorities, stored.CertificateAuthorities),
        .. asked.RegistryMirrors.Except(stored.RegistryMirrors).Select(m => $"--registry-mirror {m.Upstream}={m.Url}"),
        .. asked.Named.HasFlag(NamedSettings.Proxy) && asked.Proxy != stored.Proxy ? [$"--proxy {(asked.Proxy is null ? "none" : "host")}"] : (string[])[],
    ];

    private static string[] Differs(string option, int? asked, int? running) =>
        asked is { } value && running is { } now && value != now ? [string.Create(CultureInfo.InvariantCulture, $"{option} {value}")] : [];

    private static string[] Differs(string option, string? asked, string? running) => asked is not null && asked != running ? [$"{option} {asked}"] : [];

    private static IEnumerable<string> Missing(string option, IReadOnlyList<string>? asked, IReadOnlyList<string>? running) =>
        (asked ?? []).Except(running ?? []).Select(each => $"{option} {each}");

    private static string Text(TimeSpan? time) => time is { } limit ? string.Create(CultureInfo.InvariantCulture, $"{limit.TotalSeconds:0}s") : "off";
}
