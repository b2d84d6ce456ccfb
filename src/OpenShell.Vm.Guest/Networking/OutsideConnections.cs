using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Guest.Cluster;

namespace OpenShell.Vm.Guest.Networking;

/// <summary>
/// Connections of the guest's own network with peers outside of the machine. After its memory was resumed those peers are gone, or talk to another machine that has the same memory; what hangs on them
/// would wait for minutes. What pods have in networks of their own ends by itself: gvproxy, which is a new one, knows none of it.
/// </summary>
internal static class OutsideConnections
{
    private static readonly IPNetwork[] Inside = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse(ClusterLayout.PodNetwork), IPNetwork.Parse(ClusterLayout.ServiceNetwork)];

    /// <summary>Cuts all of them.</summary>
    /// <param name="own">The machine's address.</param>
    /// <returns>What did not succeed, in one sentence; <see langword="null"/>: all did.</returns>
    public static string? Cut(string? own)
    {
        try
        {
            using var diagnosis = new SocketDiagnosis();
            foreach (var connection in diagnosis.List().Where(c => IsOutside(c.Peer.Address, own)))
                diagnosis.End(connection);
            return null;
        }
        catch (IOException exception)
        {
            return $"connections to peers that are gone were not cut, and end by themselves: {exception.Message}; the kernel needs CONFIG_INET_TCP_DIAG and CONFIG_INET_DIAG_DESTROY";
        }
    }

    /// <summary>Whether an address is none of this machine, its pods and Services.</summary>
    internal static bool IsOutside(IPAddress address, string? own) => address.AddressFamily == AddressFamily.InterNetwork
        ? address.ToString() != own && !Inside.Any(network => network.Contains(address))
        : !IPAddress.IsLoopback(address);
}
