using OpenShell.Vm.Hypervisors;

namespace OpenShell.Vm.Planning;

/// <summary>Which accelerator is used. Pure.</summary>
public static class AcceleratorChoice
{
    /// <summary>The first usable one of the facts; they are in order of preference.</summary>
    public static Accelerator Best(HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.Accelerators.FirstOrDefault(a => a.Usable)?.Accelerator ?? Accelerator.Tcg;
    }

    /// <summary>The best one that a hypervisor has. libkrun has no emulation: without hardware it does not start (<see cref="IHypervisor.Check"/>).</summary>
    public static Accelerator Best(string hypervisor, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return hypervisor == HypervisorNames.Libkrun ? Hardware(host) ?? (host.OperatingSystem == "macos" ? Accelerator.Hvf : Accelerator.Kvm) : Best(host);
    }

    /// <summary>The usable virtualization by the processor; <see langword="null"/>: there is none.</summary>
    public static Accelerator? Hardware(HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.Accelerators.FirstOrDefault(a => a is { Usable: true, Accelerator: not Accelerator.Tcg })?.Accelerator;
    }

    /// <summary>What a user should know about the choice.</summary>
    public static IReadOnlyList<string> Notes(string hypervisor, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (Best(hypervisor, host) != Accelerator.Tcg)
            return [];
        var why = host.Accelerators.FirstOrDefault(a => a.Accelerator != Accelerator.Tcg)?.Reason;
        return
        [
            "No hardware virtualization" + (why is null ? "" : $" ({why})")
            + ": the guest runs under QEMU's software emulation, some ten times slower. A cluster then takes a minute or more to start, instead of some ten seconds.",
        ];
    }
}
