using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace OpenShell.Vm.Supervision.Watching;

/// <summary>How the host reaches the world, as far as a guest can notice.</summary>
/// <param name="Addresses">IPv4 addresses of interfaces that lead to a router, with the router: bridges of containers and the like come and go without meaning anything.</param>
/// <param name="Resolvers">What resolv.conf says of servers, domains and options.</param>
internal sealed record HostNetwork(string Addresses, string Resolvers)
{
    private const string ResolverFile = "/etc/resolv.conf";

    /// <summary>As it is now. What cannot be read counts as empty.</summary>
    internal static HostNetwork Read() => new(ReadAddresses(), ReadResolvers(ResolverFile));

    internal static string ReadResolvers(string file)
    {
        try
        {
            return string.Join('\n', File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] is not ('#' or ';')));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string ReadAddresses()
    {
        try
        {
            return string.Join('\n', NetworkInterface.GetAllNetworkInterfaces()
                .Where(card => card.OperationalStatus == OperationalStatus.Up && card.NetworkInterfaceType != NetworkInterfaceType.Loopback)
                .Select(card => card.GetIPProperties())
                .Where(properties => properties.GatewayAddresses.Count > 0)
                .SelectMany(properties => properties.UnicastAddresses.Select(a => a.Address).Concat(properties.GatewayAddresses.Select(g => g.Address)))
                .Where(address => address.AddressFamily == AddressFamily.InterNetwork)
                .Select(address => address.ToString())
                .Order(StringComparer.Ordinal));
        }
        catch (NetworkInformationException)
        {
            return "";
        }
    }
}
