using System.Buffers.Binary;
using System.Net;
using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Networking;

/// <summary>
/// The kernel's list of TCP sockets of this network namespace, and its way to end one as if its peer had reset it: https://man7.org/linux/man-pages/man7/sock_diag.7.html,
/// include/uapi/linux/inet_diag.h. Listing needs <c>tcp_diag</c>, ending needs CONFIG_INET_DIAG_DESTROY and CAP_NET_ADMIN.
/// </summary>
internal sealed class SocketDiagnosis : IDisposable
{
    private const int Netlink = 16, Raw = 3, CloseOnExec = 0x80000, SocketDiagnosisFamily = 4;

    // include/uapi/linux/netlink.h, include/uapi/linux/sock_diag.h
    private const ushort ByFamily = 20, Destroy = 21, Error = 2, Done = 3;
    private const ushort Request = 1, Acknowledge = 4, Dump = 0x300;
    private const int HeaderSize = 16, RequestSize = 56, IdOffset = 8, IdSize = 48, MessageIdOffset = 4;

    // Linux's own numbers of the families; .NET has others.
    private const byte Inet = 2, Inet6 = 10, Tcp = 6;

    // By numbers of include/net/tcp_states.h, all but TIME_WAIT (6), CLOSE (7) and LISTEN (10): those have no peer to lose.
    private const uint Connected = (1 << 1) | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 8) | (1 << 9) | (1 << 11);

    // The kernel sends at most 32 KiB at a time.
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly int _socket;

    /// <exception cref="IOException">This kernel cannot be asked.</exception>
    public SocketDiagnosis()
    {
        _socket = Linux.Socket(Netlink, Raw | CloseOnExec, SocketDiagnosisFamily);
        if (_socket < 0)
            throw new IOException("sock_diag: " + Errno.LastText);
    }

    /// <summary>A connection, as the kernel names it.</summary>
    /// <param name="Family">AF_INET or AF_INET6; an IPv6 socket may have peers of IPv4.</param>
    /// <param name="Id"><c>struct inet_diag_sockid</c>, with the cookie that makes it this one and no later one.</param>
    public readonly record struct Connection(byte Family, byte[] Id)
    {
        /// <summary>Its peer.</summary>
        public IPEndPoint Peer
        {
            get
            {
                var bytes = Id.AsSpan(20, Family == Inet ? 4 : 16);
                var address = new IPAddress(bytes);
                return new IPEndPoint(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address, BinaryPrimitives.ReadUInt16BigEndian(Id.AsSpan(2)));
            }
        }
    }

    /// <summary>Every connection of TCP.</summary>
    /// <exception cref="IOException">This kernel has no such list.</exception>
    public IReadOnlyList<Connection> List()
    {
        var connections = new List<Connection>();
        foreach (var family in (byte[])[Inet, Inet6])
        {
            Send(Message(ByFamily, Request | Dump, family, Connected, default));
            while (Take(connections))
            {
            }
        }

        return connections;
    }

    /// <summary>Ends one. One that has ended meanwhile is no error.</summary>
    /// <exception cref="IOException">This kernel cannot, or we may not.</exception>
    public void End(Connection connection)
    {
        Send(Message(Destroy, Request | Acknowledge, connection.Family, uint.MaxValue, connection.Id));
        var length = Receive();
        var error = length >= HeaderSize + 4 && BinaryPrimitives.ReadUInt16LittleEndian(_buffer.AsSpan(4)) == Error ? -BinaryPrimitives.ReadInt32LittleEndian(_buffer.AsSpan(HeaderSize)) : 0;
        if (error is not (0 or Errno.NoEntry))
            throw new IOException($"sock_destroy: {Errno.Text(error)}");
    }

    /// <inheritdoc/>
    public void Dispose() => _ = Linux.Close(_socket);

    /// <summary><c>struct nlmsghdr</c> and <c>struct inet_diag_req_v2</c>. Numbers are the machine's own, which is little-endian everywhere here.</summary>
    private static byte[] Message(ushort type, ushort flags, byte family, uint states, ReadOnlySpan<byte> id)
    {
        var message = new byte[HeaderSize + RequestSize];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), type);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(6), flags);
        message[HeaderSize] = family;
        message[HeaderSize + 1] = Tcp;
        BinaryPrimitives.WriteUInt32LittleEndian(message.AsSpan(HeaderSize + 4), states);
        id.CopyTo(message.AsSpan(HeaderSize + IdOffset));
        return message;
    }

    /// <summary>Takes one piece of the list.</summary>
    /// <returns>Whether there is more.</returns>
    private bool Take(List<Connection> connections)
    {
        var rest = _buffer.AsSpan(0, Receive());
        while (rest.Length >= HeaderSize)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
            if (length < HeaderSize || length > rest.Length)
                throw new IOException("sock_diag: an answer that is cut off.");
            var body = rest[HeaderSize..length];
            switch (BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]))
            {
                case Done:
                    return false;
                case Error:
                    throw new IOException("sock_diag: " + Errno.Text(body.Length >= 4 ? -BinaryPrimitives.ReadInt32LittleEndian(body) : 0));
                case ByFamily when body.Length >= MessageIdOffset + IdSize:
                    connections.Add(new Connection(body[0], body.Slice(MessageIdOffset, IdSize).ToArray()));
                    break;
            }

            // NLMSG_ALIGN
            rest = rest[Math.Min(rest.Length, (length + 3) & ~3)..];
        }

        return true;
    }

    private unsafe void Send(byte[] message)
    {
        fixed (byte* start = message)
        {
            if (Linux.Write(_socket, start, (nuint)message.Length) != message.Length)
                throw new IOException("sock_diag: " + Errno.LastText);
        }
    }

    private unsafe int Receive()
    {
        fixed (byte* start = _buffer)
        {
            var length = Linux.Read(_socket, start, (nuint)_buffer.Length);
            return length > 0 ? (int)length : throw new IOException("sock_diag: " + Errno.LastText);
        }
    }
}
