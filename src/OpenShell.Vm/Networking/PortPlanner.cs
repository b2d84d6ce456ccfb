using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Networking;

/// <summary>The forwards of one start.</summary>
/// <param name="Gateway">The gateway's; <see langword="null"/> without a cluster.</param>
/// <param name="ApiServer">The API server's; <see langword="null"/> without a cluster.</param>
/// <param name="User">Those the user asked for, with a port in place of each 0.</param>
public sealed record PortPlan(PortForward? Gateway, PortForward? ApiServer, IReadOnlyList<PortForward> User)
{
    /// <summary>All of them.</summary>
    public IReadOnlyList<PortForward> All => [.. new[] { Gateway, ApiServer }.OfType<PortForward>(), .. User];
}

/// <summary>Chooses host ports and checks, by binding them for a moment, that they can be had.</summary>
internal static class PortPlanner
{
    private const string Loopback = "127.0.0.1";

    /// <summary>Chooses.</summary>
    /// <param name="config">What the user asked for.</param>
    /// <param name="last">The forwards of the instance's last run: a port chosen then is kept if it is still free, so that clients need not be told anew.</param>
    /// <exception cref="Faults.FaultException">A port that was asked for is busy or not allowed; all of them at once.</exception>
    internal static PortPlan Choose(InstanceConfig config, IReadOnlyList<PortForward> last)
    {
        var faults = new List<Faults.Fault>();
        var taken = config.Ports.Select(p => p.HostPort).Append(config.GatewayPort ?? 0).Where(p => p != 0).ToHashSet();

        PortForward? gateway = null;
        PortForward? apiServer = null;
        if (config is { Mode: GuestMode.Cluster, Network: not "none" })
        {
            var isDefault = config.Name == InstanceName.Default;
            var wanted = config.GatewayPort ?? (isDefault ? GuestNetworkPlan.GatewayPort : 0);
            taken.Add(wanted);
            gateway = Fixed(wanted, GuestNetworkPlan.GatewayPort, Loopback, "the gateway");
            apiServer = Free(GuestNetworkPlan.ApiServerPort, Loopback, isDefault ? GuestNetworkPlan.ApiServerPort : null);
        }

        var user = config.Network == "none"
            ? []
            : config.Ports.Select(p => Fixed(p.HostPort, p.GuestPort, p.HostAddress, $"-p {p.HostPort}:{p.GuestPort}")).ToArray();
        return faults.Count == 0 ? new PortPlan(gateway, apiServer, user) : throw new Faults.FaultException(faults);

        PortForward Fixed(int port, int guestPort, string address, string purpose)
        {
            if (port == 0)
                return Free(guestPort, address, null);
            try
            {
                if (!IsFree(address, port))
                    faults.AddRange(PortFaults.Busy(address, port, purpose).Faults);
            }
            catch (SocketException e)
            {
                faults.AddRange(PortFaults.NotAllowed(address, port, purpose, e).Faults);
            }

            return new PortForward { HostAddress = address, HostPort = port, GuestPort = guestPort };
        }

        PortForward Free(int guestPort, string address, int? preferred)
        {
            int?[] candidates = [last.FirstOrDefault(p => p.GuestPort == guestPort && p.HostAddress == address)?.HostPort, preferred];
            var port = candidates.FirstOrDefault(p => p is { } candidate && !taken.Contains(candidate) && IsFree(address, candidate)) ?? Any(address, taken);
            taken.Add(port);
            return new PortForward { HostAddress = address, HostPort = port, GuestPort = guestPort };
        }
    }

    /// <summary>Whether the port could be bound just now.</summary>
    /// <exception cref="SocketException">It could not for another reason than being busy.</exception>
    internal static bool IsFree(string address, int port)
    {
        try
        {
            _ = Bind(address, port);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }

    private static int Any(string address, HashSet<int> taken)
    {
        int port;
        do
            port = Bind(address, 0);
        while (taken.Contains(port));
        return port;
    }

    // As gvproxy will: Go sets SO_REUSEADDR, without which a port just given back (TIME_WAIT) would count as busy. On Linux it does not let
    // two sockets listen on one port, so binding alone would succeed beside a bound one: listening is what tells.
    private static int Bind(string address, int port)
    {
        using var socket = new Socket(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        socket.Listen(1);
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
