using OpenShell.Vm.Networking;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Instances;

/// <summary>What a start means that says less than the instance's stored configuration.</summary>
public static class StoredConfig
{
    /// <summary>
    /// The machine's shape is the instance's, and stays what it was where a start does not say otherwise: processors, memory, disk, hypervisor, distribution, kernel,
    /// ports, folders of the host, restart policy, suspension when idle. What opens something or is given along holds for the start that names it: host loopback, workload, authorities, mirrors, proxy, bundle. Pure.
    /// </summary>
    /// <param name="asked">What this start says.</param>
    /// <param name="stored">What the instance was last started or edited with; <see langword="null"/>: it is new.</param>
    public static InstanceConfig Complete(InstanceConfig asked, InstanceConfig? stored)
    {
        ArgumentNullException.ThrowIfNull(asked);
        if (stored is null || asked.Mode == GuestMode.Exec)
            return asked with { Named = NamedSettings.None, Repeats = false };
        if (asked.Repeats)
            return stored with { Start = asked.Start, Timeout = asked.Timeout ?? stored.Timeout, Named = NamedSettings.None, Repeats = false };

        // A root folder, a bundle or a program of one's own says which distribution it is: what was stored is about another root.
        var sameRoot = asked is { Distribution: null, K3sBinary: null, Pinned: null, RootDirectory: null };
        return asked with
        {
            Architecture = asked.Architecture ?? stored.Architecture,
            Vcpus = asked.Vcpus ?? stored.Vcpus,
            MemoryMib = asked.MemoryMib ?? stored.MemoryMib,
            DiskGib = asked.DiskGib ?? stored.DiskGib,
            Hypervisor = Names(NamedSettings.Hypervisor) ? asked.Hypervisor : asked.Hypervisor ?? stored.Hypervisor,
            Distribution = sameRoot ? stored.Distribution : asked.Distribution,
            K3sBinary = sameRoot ? stored.K3sBinary : asked.K3sBinary,
            RootDirectory = sameRoot ? stored.RootDirectory : asked.RootDirectory,
            Kernel = asked.Kernel ?? (asked.Pinned is null ? stored.Kernel : null),
            Network = Names(NamedSettings.Network) || asked.Network != NetworkNames.Gvproxy ? asked.Network : stored.Network,
            RuntimeDirectory = asked.RuntimeDirectory ?? stored.RuntimeDirectory,
            KrunLogLevel = asked.KrunLogLevel ?? stored.KrunLogLevel,
            Ports = asked.Ports.Count > 0 ? asked.Ports : stored.Ports,
            Mounts = Names(NamedSettings.Mounts) || asked.Mounts.Count > 0 ? asked.Mounts : stored.Mounts,
            Restart = asked.Restart ?? stored.Restart,
            IdleSuspend = Names(NamedSettings.IdleSuspend) ? asked.IdleSuspend : asked.IdleSuspend ?? stored.IdleSuspend,
            GatewayPort = asked.GatewayPort ?? stored.GatewayPort,
            Named = NamedSettings.None,
        };

        bool Names(NamedSettings setting) => asked.Named.HasFlag(setting);
    }
}
