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

    /// <summary>Where images come from; <see langword="null"/>: an <see cref="ImageBuilder"/> for <see cref="Directories"/>.</summary>
    public IImages? Images { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>For tests: how long a guest may be silent, instead of what its accelerator needs.</summary>
    internal TimeSpan? HelloBudget { get; init; }

    internal IImages EffectiveImages => Images ?? new ImageBuilder(Directories);
}
