using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Hypervisors;

/// <summary>Which hypervisor is used where none is named. Pure.</summary>
public static class HypervisorChoice
{
    /// <summary>The one that the configuration needs, else the better one of those that are there.</summary>
    public static string Best(InstanceConfig config, HostFacts host)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(host);
        if (NeedsLibkrun(config))
            return HypervisorNames.Libkrun;

        // libkrun only runs on hardware. On macOS it is what the guest's images are made for; on Linux QEMU is preferred, which boots Debian's kernel and takes snapshots.
        var runs = host.Libkrun is not null && AcceleratorChoice.Hardware(host) is not null;
        return runs && (host.OperatingSystem == "macos" || host.Qemu is null) ? HypervisorNames.Libkrun : HypervisorNames.Qemu;
    }

    /// <summary>Whether something was asked for that only libkrun has.</summary>
    public static bool NeedsLibkrun(InstanceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return config.RootDirectory is not null || config.KrunLogLevel is not null || config.Network == NetworkNames.Tsi;
    }
}
