using OpenShell.Vm.Images;

namespace OpenShell.Vm.Instances;

/// <summary>What <see cref="LocalInstances"/> needs to know about the program that uses it.</summary>
public sealed record InstancesOptions
{
    /// <summary>Where everything is kept.</summary>
    public HostDirectories Directories { get; init; } = HostDirectories.FromEnvironment();

    /// <summary>
    /// Program and arguments that lead to <see cref="Planning.KvmProbe.RunInThisProcess"/>. KVM is timed in a child process, because a
    /// guest that runs under a broken KVM cannot be interrupted from within. <see langword="null"/>: KVM is not used.
    /// </summary>
    public IReadOnlyList<string>? KvmProbeCommand { get; init; }

    /// <summary>
    /// Program and arguments that, with the path of a plan behind them, lead to <see cref="Hypervisors.Krun.KrunProcess.Run"/>: libkrun takes over the process that it
    /// runs in. <see langword="null"/>: libkrun is not used.
    /// </summary>
    public IReadOnlyList<string>? VmmCommand { get; init; }

    /// <summary>Where images come from; <see langword="null"/>: an <see cref="ImageBuilder"/> for <see cref="Directories"/>.</summary>
    public IImages? Images { get; init; }

    /// <summary>Whether new instances may begin as copies of golden images. <c>OPENSHELL_VM_GOLDEN=off</c> in the environment says no.</summary>
    public bool UsesGolden { get; init; } = Environment.GetEnvironmentVariable("OPENSHELL_VM_GOLDEN") != "off";

    /// <summary>Where the memory of a machine that becomes a golden image lies; <see langword="null"/>: it becomes none.</summary>
    internal string? BakesMemory { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>For tests: how long a guest may be silent, instead of what its accelerator needs.</summary>
    internal TimeSpan? HelloBudget { get; init; }

    /// <summary>For tests: how long a guest that has said hello may be silent, instead of what its accelerator needs.</summary>
    internal TimeSpan? Silence { get; init; }

    /// <summary>For tests: the host's clocks, instead of the real ones.</summary>
    internal Func<Supervision.Watching.HostClocks>? HostClocks { get; init; }

    /// <summary>For tests: when certificates are renewed while a machine runs.</summary>
    internal Supervision.Watching.RenewalRule Certificates { get; init; } = new();

    /// <summary>For tests: how pauses between restarts grow.</summary>
    internal Supervision.Backoff RestartBackoff { get; init; } = Supervision.Backoff.Machine;

    /// <summary>For tests: whether a first start that fails is tried again as well.</summary>
    internal bool RestartsFirstStart { get; init; }

    /// <summary>For tests: how long each means to end a machine is given.</summary>
    internal Supervision.ShutdownLimits Shutdown { get; init; } = new();

    /// <summary>For tests: what the host is taken to be, instead of what it is.</summary>
    internal Planning.HostFacts? Host { get; init; }

    /// <summary>What there is for a configuration.</summary>
    internal async Task<Planning.HostFacts> ProbeAsync(InstanceConfig config, CancellationToken cancellationToken)
    {
        var host = Host ?? await WithK3sAsync(config, new Planning.HostProbe(Directories, KvmProbeCommand, VmmCommand).ProbeAsync(config.RuntimeDirectory, config.Architecture, cancellationToken), cancellationToken).ConfigureAwait(false);
        return config.Pinned is { } pinned ? host with { Gvproxy = PinnedImages.PathOf(Directories, pinned.Gvproxy) } : host;
    }

    /// <summary>Looks for k3s meanwhile, where it matters: not where a bundle says which distribution it is.</summary>
    private async Task<Planning.HostFacts> WithK3sAsync(InstanceConfig config, Task<Planning.HostFacts> probe, CancellationToken cancellationToken)
    {
        if (config is not { Mode: Protocol.Messages.GuestMode.Cluster, Distribution: null or Distributions.DistributionChoice.Auto, K3sBinary: null, RootDirectory: null, Pinned: null } || config.IsForeign)
            return await probe.ConfigureAwait(false);
        var k3s = Distributions.K3sAvailability.ProbeAsync(Directories, cancellationToken);
        return await probe.ConfigureAwait(false) with { K3s = await k3s.ConfigureAwait(false) };
    }

    internal IImages EffectiveImages => Images ?? new ImageBuilder(Directories);
}
