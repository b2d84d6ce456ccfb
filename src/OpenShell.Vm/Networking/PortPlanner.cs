using System.Net.Sockets;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Networking;

/// <summary>The forwards of one start.</summary>
/// <param name="Gateway">The gateway's; <see langword="null"/> without a cluster.</param>
/// <param name="ApiServer">The API server's; <see langword="null"/> without a cluster.</param>
/// <param name="User">Those the user asked for, at start or while it ran, with a port in place of each 0.</param>
public sealed record PortPlan(PortForward? Gateway, PortForward? ApiServer, IReadOnlyList<PortForward> User)
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<PortForward> All => [.. new[] { Gateway, ApiServer }.OfType<PortForward>(), .. User];
}

/// <summary>Chooses host ports and checks, by binding them for a moment, that they can be had.</summary>
internal static class PortPlanner
{
    /// <summary>Chooses.</summary>
    /// <param name="config">What the user asked for.</param>
    /// <param name="last">The forwards of the instance's last run: a port chosen then is kept if it is still free, so that clients need not be told anew.</param>
    /// <param name="isHeld">Whether this process listens there itself, until the forward is made; <see langword="null"/>: nowhere.</param>
    /// <exception cref="Faults.FaultException">A port that was asked for is busy or not allowed; all of them at once.</exception>
    internal static PortPlan Choose(InstanceConfig config, IReadOnlyList<PortForward> last, Func<PortForward, bool>? isHeld = null)
    {
        var faults = new List<Faults.Fault>();
        var taken = config.Ports.Concat(config.AddedPorts).Select(p => p.HostPort).Append(config.GatewayPort ?? 0).Where(p => p != 0).ToHashSet();

        PortForward? gateway = null;
        PortForward? apiServer = null;
        if (config is { Mode: GuestMode.Cluster, Network: not "none" })
        {
            var isDefault = config.Name == InstanceName.Default;
            var wanted = config.GatewayPort ?? (isDefault ? GuestNetworkPlan.GatewayPort : 0);
            taken.Add(wanted);
            gateway = Chosen(new PortForward { HostPort = wanted, GuestPort = GuestNetworkPlan.GatewayPort }, "the gateway");
            apiServer = Free(new PortForward { HostPort = 0, GuestPort = GuestNetworkPlan.ApiServerPort }, "the API server", isDefault ? GuestNetworkPlan.ApiServerPort : null);
        }

        var user = config.Network == "none"
            ? []
            : config.Ports.Concat(config.AddedPorts).Select(p => Chosen(p, p.Option())).ToArray();
        return faults.Count == 0 ? new PortPlan(gateway, apiServer, user) : throw new Faults.FaultException(faults);

        bool IsHeld(PortForward forward) => isHeld?.Invoke(forward) == true;

        PortForward Chosen(PortForward asked, string purpose)
        {
            if (asked is { HostPort: 0, Protocol: not PortProtocol.Unix })
                return Free(asked, purpose, null);
            if (!IsHeld(asked) && PortCheck.WhyNot(asked, purpose) is { } fault)
                faults.Add(fault);
            return asked;
        }

        PortForward Free(PortForward asked, string purpose, int? preferred)
        {
            int?[] candidates = [last.FirstOrDefault(p => p.GuestPort == asked.GuestPort && p.HostAddress == asked.HostAddress && p.Protocol == asked.Protocol)?.HostPort, preferred];
            try
            {
                var port = candidates.FirstOrDefault(p => p is { } candidate && !taken.Contains(candidate) && (IsHeld(asked with { HostPort = candidate }) || PortCheck.IsFree(asked.Protocol, asked.HostAddress, candidate)))
                    ?? Any(asked.Protocol, asked.HostAddress, taken);
                taken.Add(port);
                return asked with { HostPort = port };
            }
            catch (SocketException e)
            {
                // Not of the port, which is any: of the address.
                faults.AddRange(PortFaults.NotAllowed(asked, purpose, e).Faults);
                return asked;
            }
        }
    }

    /// <summary>A plan in which another free port stands in place of one that somebody took between the choice and its use; <see langword="null"/>: that very one was asked for.</summary>
    internal static PortPlan? Replace(PortPlan plan, InstanceConfig config, PortForward busy)
    {
        var taken = plan.All.Select(p => p.HostPort).ToHashSet();
        if (busy == plan.ApiServer)
            return plan with { ApiServer = Other() };
        if (busy == plan.Gateway)
            return (config.GatewayPort ?? (config.Name == InstanceName.Default ? GuestNetworkPlan.GatewayPort : 0)) == 0 ? plan with { Gateway = Other() } : null;

        // In the order in which they were chosen.
        var asked = config.Ports.Concat(config.AddedPorts).ToArray();
        var at = plan.User.TakeWhile(p => p != busy).Count();
        return at < asked.Length && asked[at] is { HostPort: 0, Protocol: not PortProtocol.Unix } ? plan with { User = [.. plan.User.Select((p, i) => i == at ? Other() : p)] } : null;

        PortForward Other() => busy with { HostPort = Any(busy.Protocol, busy.HostAddress, taken) };
    }

    /// <summary>Whether the port of TCP could be bound just now.</summary>
    /// <exception cref="SocketException">It could not for another reason than being busy.</exception>
    internal static bool IsFree(string address, int port) => PortCheck.IsFree(PortProtocol.Tcp, address, port);

    /// <summary>A forward with a port in place of 0, for a machine that runs.</summary>
    internal static PortForward Settle(PortForward forward) =>
        forward is { HostPort: 0, Protocol: not PortProtocol.Unix } ? forward with { HostPort = Any(forward.Protocol, forward.HostAddress, []) } : forward;

    private static int Any(PortProtocol protocol, string address, HashSet<int> taken)
    {
        int port;
        do
            port = PortCheck.Bind(protocol, address, 0);
        while (taken.Contains(port));
        return port;
    }
}
