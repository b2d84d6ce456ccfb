using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Networking;

/// <summary>
/// Brings interfaces up and gives them addresses by ioctl, as netdevice(7) describes: a handful of system calls instead of a process per line,
/// which matters where every start of a program is emulated.
/// </summary>
internal static class InterfaceControl
{
    // include/uapi/linux/sockios.h
    private const nuint AddRoute = 0x890B, DeleteRoute = 0x890C, GetFlags = 0x8913, SetFlags = 0x8914, SetAddress = 0x8916, SetMask = 0x891C;

    private const short InterfaceUp = 1;
    private const ushort RouteUp = 1, RouteGateway = 2, RouteHost = 4, RouteReject = 0x200;

    // struct ifreq: 16 bytes of name, 24 of a union; struct rtentry on 64-bit Linux (include/uapi/linux/route.h)
    private const int RequestLength = 40, NameLength = 16, RouteLength = 120;
    private const int RouteDestination = 8, RouteGatewayAt = 24, RouteMask = 40, RouteFlags = 56;

    /// <summary>Sets an interface up, with an address if one is given.</summary>
    /// <exception cref="GuestFaultException">The kernel refuses.</exception>
    public static void Up(string name, Ipv4Network? address = null)
    {
        if (address is { } given)
        {
            Apply(name, SetAddress, SocketAddress(given.Address), $"giving it the address {given}");
            Apply(name, SetMask, SocketAddress(given.Mask), $"giving it the mask {given.Mask}");
        }

        Span<byte> request = stackalloc byte[RequestLength];
        request.Clear();
        Encoding.ASCII.GetBytes(name, request);
        Call(GetFlags, request, name, "reading its flags");
        var flags = BinaryPrimitives.ReadInt16LittleEndian(request[NameLength..]);
        BinaryPrimitives.WriteInt16LittleEndian(request[NameLength..], (short)(flags | InterfaceUp));
        Call(SetFlags, request, name, "setting it up");
    }

    /// <summary>Makes <paramref name="gateway"/> the only default route.</summary>
    /// <exception cref="GuestFaultException">The kernel refuses; the gateway must be reachable through an address set before.</exception>
    public static void SetDefaultRoute(IPAddress gateway)
    {
        Span<byte> route = stackalloc byte[RouteLength];
        route.Clear();
        SocketAddress(IPAddress.Any).CopyTo(route[RouteDestination..]);
        SocketAddress(IPAddress.Any).CopyTo(route[RouteMask..]);
        BinaryPrimitives.WriteUInt16LittleEndian(route[RouteFlags..], RouteUp);
        while (TryCall(DeleteRoute, route))
        {
            // There may be several; ESRCH ends it.
        }

        SocketAddress(gateway).CopyTo(route[RouteGatewayAt..]);
        BinaryPrimitives.WriteUInt16LittleEndian(route[RouteFlags..], RouteUp | RouteGateway);
        if (!TryCall(AddRoute, route) && Errno.Last != Errno.Exists)
            throw Refused("the default route", $"routing through {gateway}");
    }

    /// <summary>Makes an address unreachable: programs get "no route to host" at once.</summary>
    /// <exception cref="GuestFaultException">The kernel refuses.</exception>
    public static void Reject(IPAddress address)
    {
        Span<byte> route = stackalloc byte[RouteLength];
        route.Clear();
        SocketAddress(address).CopyTo(route[RouteDestination..]);
        SocketAddress(IPAddress.Broadcast).CopyTo(route[RouteMask..]);
        BinaryPrimitives.WriteUInt16LittleEndian(route[RouteFlags..], RouteUp | RouteHost | RouteReject);
        if (!TryCall(AddRoute, route) && Errno.Last != Errno.Exists)
            throw Refused("routing", $"making {address} unreachable");
    }

    private static void Apply(string name, nuint request, byte[] address, string what)
    {
        Span<byte> buffer = stackalloc byte[RequestLength];
        buffer.Clear();
        Encoding.ASCII.GetBytes(name, buffer);
        address.CopyTo(buffer[NameLength..]);
        Call(request, buffer, name, what);
    }

    private static void Call(nuint request, Span<byte> argument, string name, string what)
    {
        if (!TryCall(request, argument))
            throw Refused(name, what);
    }

    private static unsafe bool TryCall(nuint request, Span<byte> argument)
    {
        // A socket per call: there are some ten calls in a boot, and nothing to keep open or to dispose of.
        var socket = Linux.Socket((int)AddressFamily.InterNetwork, (int)SocketType.Dgram + Linux.OpenCloseOnExec - 1, 0);
        fixed (byte* start = argument)
        {
            var done = Linux.Ioctl(socket, request, start) == 0;
            var error = Errno.Last;
            _ = Linux.Close(socket);
            System.Runtime.InteropServices.Marshal.SetLastPInvokeError(error);
            return done;
        }
    }

    /// <summary>struct sockaddr_in: family in host order, port 0, address in network order, padding.</summary>
    private static byte[] SocketAddress(IPAddress address)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)AddressFamily.InterNetwork);
        address.TryWriteBytes(bytes.AsSpan(4), out _);
        return bytes;
    }

    private static GuestFaultException Refused(string name, string what) => new(
        "guest.network-interface",
        $"{name}: {what} failed: {Errno.LastText}.",
        "Check that the hypervisor gives the guest a virtio network interface and that the initramfs holds virtio_net.");
}
