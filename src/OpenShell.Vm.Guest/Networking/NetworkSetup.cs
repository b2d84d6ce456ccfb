using System.Net;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Networking;

/// <summary>The guest's one interface, from the host's configuration, in a few system calls: whoever runs next finds a network that works.</summary>
internal static class NetworkSetup
{
    /// <summary>The only interface. Kernels name it so as no udev renames it.</summary>
    public const string Interface = "eth0";

    /// <summary>Brings up the loopback interface.</summary>
    public static void Loopback() => InterfaceControl.Up("lo");

    /// <summary>
    /// Closes whole addresses where no packet filter is loaded (exec mode, whose program is the guest's owner anyway): one system call each, and no module.
    /// Single ports stay open there.
    /// </summary>
    public static void RejectAddresses(IReadOnlyList<string> closed)
    {
        foreach (var entry in closed)
        {
            if (IPAddress.TryParse(entry, out var address))
                InterfaceControl.Reject(address);
        }
    }

    /// <summary>Gives the interface its address, route and name servers.</summary>
    /// <exception cref="GuestFaultException">There is no interface, or the configuration cannot be read.</exception>
    public static void Static(GuestNetwork network)
    {
        if (!Ipv4Network.TryParse(network.Address, out var address) || !IPAddress.TryParse(network.Gateway, out var gateway))
        {
            throw new GuestFaultException(
                "guest.network-config", $"the network configuration {network.Address} via {network.Gateway} is not IPv4 with a prefix length.", "This is a defect of the host's side; please report it.");
        }

        InterfaceControl.Up(Interface, address);
        InterfaceControl.SetDefaultRoute(gateway);
        NameFiles.SetResolver(network.DnsServers);
    }
}
