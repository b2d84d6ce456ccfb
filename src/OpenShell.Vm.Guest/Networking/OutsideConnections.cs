using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Guest.Cluster;

namespace OpenShell.Vm.Guest.Networking;

/// <summary>
/// Connections with peers outside of the machine. After its memory was resumed those peers are gone, or talk to another machine that has the same memory; what hangs on them would wait for minutes, or for ever where nothing is
/// sent.
/// </summary>
internal static class OutsideConnections
{
    private static readonly IPNetwork[] Inside = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse(ClusterLayout.PodNetwork), IPNetwork.Parse(ClusterLayout.ServiceNetwork)];

    // Where the CNI's namespaces are: a file for each pod that has a network of its own.
    private const string Namespaces = "/run/netns";

    /// <summary>Cuts all of the machine's own network.</summary>
    /// <param name="own">The machine's address.</param>
    /// <returns>What did not succeed, in one sentence; <see langword="null"/>: all did.</returns>
    public static string? Cut(string? own) => Cut(peer => IsOutside(peer, own));

    /// <summary>Cuts those of pods in networks of their own, as far as they lead beyond the network that the machine is in: what came in by a forwarded port has its gateway as a peer, and may be of now.</summary>
    /// <param name="own">The machine's address.</param>
    /// <param name="gateway">That of its network.</param>
    /// <returns>What did not succeed, each in one sentence.</returns>
    public static IReadOnlyList<string> CutInPods(string? own, string? gateway)
    {
        try
        {
            return CutIn(Directory.EnumerateFiles(Namespaces).ToArray(), own, gateway);
        }
        catch (DirectoryNotFoundException)
        {
            // There was no such pod yet.
            return [];
        }
    }

    /// <summary>The same, of networks that are named.</summary>
    internal static IReadOnlyList<string> CutIn(IEnumerable<string> namespaces, string? own, string? gateway) =>
        [.. namespaces.Select(path => CutIn(path, peer => peer.ToString() != gateway && IsOutside(peer, own))).OfType<string>()];

    private static string? CutIn(string path, Func<IPAddress, bool> which)
    {
        try
        {
            return NetworkNamespace.Run(path, () => Cut(which));
        }
        catch (IOException exception)
        {
            // A pod that is just going has none any more.
            return File.Exists(path) ? $"connections of a pod to peers that are gone were not cut, and end by themselves: {exception.Message}" : null;
        }
    }

    private static string? Cut(Func<IPAddress, bool> which)
    {
        try
        {
            using var diagnosis = new SocketDiagnosis();
            foreach (var connection in diagnosis.List().Where(c => which(c.Peer.Address)))
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
