using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Networking;

/// <summary>Whether the host's end of a forward can be had, found out by taking it for a moment.</summary>
internal static class PortCheck
{
    /// <summary>Why it cannot be had; <see langword="null"/>: it can, at this moment.</summary>
    /// <param name="forward">With a port in place of 0.</param>
    /// <param name="purpose">What it is for, in a sentence: <c>the gateway</c>, <c>-p 8080:80</c>.</param>
    internal static Fault? WhyNot(PortForward forward, string purpose)
    {
        if (forward.Protocol == PortProtocol.Unix)
            return SocketFile.WhyNot(forward.HostSocket!, purpose);
        try
        {
            return IsFree(forward.Protocol, forward.HostAddress, forward.HostPort) ? null : PortFaults.Busy(forward, purpose).Faults[0];
        }
        catch (SocketException e)
        {
            return PortFaults.NotAllowed(forward, purpose, e).Faults[0];
        }
    }

    /// <summary>Whether the port could be bound just now.</summary>
    /// <exception cref="SocketException">It could not for another reason than being busy.</exception>
    internal static bool IsFree(PortProtocol protocol, string address, int port)
    {
        try
        {
            _ = Bind(protocol, address, port);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }

    /// <summary>Binds for a moment, and says which port it was.</summary>
    internal static int Bind(PortProtocol protocol, string address, int port)
    {
        var ip = IPAddress.Parse(address);
        if (protocol == PortProtocol.Udp)
        {
            // Without SO_REUSEADDR, which would let two sockets share a port of UDP.
            using var datagrams = new Socket(ip.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            datagrams.Bind(new IPEndPoint(ip, port));
            return ((IPEndPoint)datagrams.LocalEndPoint!).Port;
        }

        // As gvproxy will: Go sets SO_REUSEADDR, without which a port just given back (TIME_WAIT) would count as busy. On Linux it does not let
        // two sockets listen on one port, so binding alone would succeed beside a bound one: listening is what tells.
        using var socket = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(new IPEndPoint(ip, port));
        socket.Listen(1);
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
