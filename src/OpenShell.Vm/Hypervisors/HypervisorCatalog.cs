using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Hypervisors;

/// <summary>The hypervisors that there are.</summary>
public static class HypervisorCatalog
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IHypervisor> All { get; } = [new Qemu.QemuHypervisor(), new Krun.KrunHypervisor()];

    /// <summary>By name; <see langword="null"/>: there is none.</summary>
    public static IHypervisor? Find(string name) => All.FirstOrDefault(h => h.Name == name);

    /// <summary>Refuses what the chosen hypervisor cannot do on this host.</summary>
    /// <param name="config">With its defaults filled in.</param>
    /// <param name="host">What there is.</param>
    /// <exception cref="FaultException">All that is missing.</exception>
    internal static void ThrowIfUnfit(InstanceConfig config, HostFacts host)
    {
        if (Find(config.Hypervisor!)!.Check(config, host) is { Count: > 0 } faults)
            throw new FaultException(faults);
    }
}

/// <summary>Their names on the command line.</summary>
public static class HypervisorNames
{
    /// <summary>QEMU.</summary>
    public const string Qemu = "qemu";

    /// <summary>libkrun.</summary>
    public const string Libkrun = "libkrun";
}
