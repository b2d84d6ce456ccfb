using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Upkeep;

/// <summary>Whether the ports that an instance's next start asks for can be had: each is taken for a moment.</summary>
public static class NextPorts
{
    /// <summary>Looks at all of them.</summary>
    /// <param name="config">As the start will have it.</param>
    public static IReadOnlyList<PortFinding> Of(InstanceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        if (config.Network == NetworkNames.None)
            return [];
        var wanted = new List<(PortForward Forward, string Purpose, bool IsFixed)>();
        if (config.Mode == GuestMode.Cluster)
        {
            var isDefault = config.Name == InstanceName.Default;
            wanted.Add((new PortForward { HostPort = config.GatewayPort ?? (isDefault ? GuestNetworkPlan.GatewayPort : 0), GuestPort = GuestNetworkPlan.GatewayPort }, "the gateway", true));
            wanted.Add((new PortForward { HostPort = isDefault ? GuestNetworkPlan.ApiServerPort : 0, GuestPort = GuestNetworkPlan.ApiServerPort }, "the API server", false));
        }

        wanted.AddRange(config.Ports.Concat(config.AddedPorts).Select(p => (p, p.Option(), true)));
        return
        [
            .. wanted.Where(w => w.Forward.HostPort != 0 || w.Forward.Protocol == PortProtocol.Unix)
                .Select(w => new PortFinding(w.Forward, w.Purpose, PortCheck.WhyNot(w.Forward, w.Purpose), w.IsFixed)),
        ];
    }
}

/// <summary>A port that a start asks for.</summary>
/// <param name="Forward">The forward whose end on the host it is.</param>
/// <param name="Purpose">What it is for: <c>the gateway</c>.</param>
/// <param name="Fault">Why it cannot be had; <see langword="null"/>: it can.</param>
/// <param name="IsFixed">Whether the start fails without; otherwise it takes another.</param>
public sealed record PortFinding(PortForward Forward, string Purpose, Fault? Fault, bool IsFixed);
