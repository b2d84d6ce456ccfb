using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Instances;

/// <summary>What a configuration means where it says nothing. Pure.</summary>
public static class InstanceDefaults
{
    /// <summary>A cluster is busy with four processors at its start; more rarely help it.</summary>
    public const int ClusterVcpus = 4;

    /// <summary>What control plane, containerd and a few pods need with room to spare, in MiB.</summary>
    public const int ClusterMemoryMib = 4096;

    /// <summary>A second processor runs the program while the first serves its devices.</summary>
    public const int ExecVcpus = 2;

    /// <summary>Memory of a VM for one program, in MiB.</summary>
    public const int ExecMemoryMib = 1024;

    /// <summary>Errors and warnings, as libkrun counts: what it says beyond them is for those who look for something.</summary>
    public const int KrunLogLevel = 2;

    /// <summary>A cluster starts in 75 s under emulation on two idle cores; a busy machine may need several times that.</summary>
    public static readonly TimeSpan EmulatedClusterTimeout = TimeSpan.FromMinutes(10);

    /// <summary>With hardware virtualization.</summary>
    public static readonly TimeSpan ClusterTimeout = TimeSpan.FromMinutes(4);

    /// <summary>From power-on to the program's start (2 s here); how long the program runs is its own business.</summary>
    public static readonly TimeSpan ExecTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Fills in everything that does not depend on what is free at the moment (ports).</summary>
    public static InstanceConfig Fill(InstanceConfig config, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(host);
        var cluster = config.Mode == GuestMode.Cluster;
        var hypervisor = config.Hypervisor ?? HypervisorChoice.Best(config, host);
        var emulated = AcceleratorChoice.Best(hypervisor, host) == Accelerator.Tcg;
        return config with
        {
            Vcpus = config.Vcpus ?? (cluster ? Math.Min(ClusterVcpus, host.Cores) : ExecVcpus),
            MemoryMib = config.MemoryMib ?? (cluster ? ClusterMemoryMib : ExecMemoryMib),
            Hypervisor = hypervisor,
            Distribution = cluster ? Distributions.DistributionChoice.Best(config, host) : null,
            Timeout = config.Timeout ?? (!cluster ? ExecTimeout : emulated ? EmulatedClusterTimeout : ClusterTimeout),
        };
    }
}
