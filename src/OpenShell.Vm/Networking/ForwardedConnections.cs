using System.Globalization;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Networking;

/// <summary>Connections to forwarded ports and sockets of this host, read where the kernel lists them (https://docs.kernel.org/networking/proc_net_tcp.html, proc_net(5)).</summary>
internal static class ForwardedConnections
{
    private const int Established = 0x01, TimeWait = 0x06;

    // SS_CONNECTED
    private const int Connected = 0x03;

    private const string UnixTable = "/proc/net/unix";

    private static readonly string[] Tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>Whether one of the ports has a connection, or had one within the last minute (it then waits out its time at one of its ends).</summary>
    /// <param name="forwards">Those that are looked at.</param>
    /// <param name="own">The ports of the other end of connections that do not count; <see langword="null"/>: all do.</param>
    internal static bool Any(IReadOnlyCollection<PortForward> forwards, Func<IReadOnlyCollection<int>>? own = null)
    {
        var ports = forwards.Where(forward => forward.Protocol == PortProtocol.Tcp).Select(forward => forward.HostPort).ToHashSet();
        if (ports.Count > 0 && AnyOf(ports, own))
            return true;
        // While it sleeps somebody else listens there; else there is a link to where gvproxy does.
        var sockets = forwards.Select(forward => forward.HostSocket).OfType<string>().SelectMany(path => new[] { path, new FileInfo(path).LinkTarget }).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return sockets.Count > 0 && File.Exists(UnixTable) && File.ReadLines(UnixTable).Skip(1).Any(line => IsConnectedTo(sockets, line));
    }

    private static bool AnyOf(HashSet<int> ports, Func<IReadOnlyCollection<int>>? own)
    {
        // Before and after: one that comes or goes while the list is read is known by either.
        var mine = own?.Invoke().ToHashSet() ?? [];
        var lines = Tables.Where(File.Exists).SelectMany(table => File.ReadLines(table).Skip(1).Where(line => IsOneOf(ports, line))).ToArray();
        mine.UnionWith(own?.Invoke() ?? []);
        return lines.Any(line => !HasEnd(mine, line));
    }

    /// <summary>Such as <c>0000000000000000: 00000003 00000000 00000000 0001 03 91011 /run/web.sock</c>: the sixth is the state, and behind the number of its inode a socket that was accepted has the path of the one that accepted it.</summary>
    internal static bool IsConnectedTo(IReadOnlySet<string> sockets, string line)
    {
        var fields = line.Split(' ', 8, StringSplitOptions.RemoveEmptyEntries);
        return fields.Length == 8 && Hex(fields[5]) == Connected && sockets.Contains(fields[7]);
    }

    /// <summary>Such as <c>0: 0100007F:7563 0100007F:D2F0 01 ...</c>: number, local and remote address with port, state, in hexadecimal.</summary>
    internal static bool IsOneOf(IReadOnlySet<int> ports, string line)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 3 && Hex(fields[3]) is Established or TimeWait && HasEnd(ports, line);
    }

    private static bool HasEnd(IReadOnlySet<int> ports, string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var local, var remote, ..] && (ports.Contains(Port(local)) || ports.Contains(Port(remote)));

    private static int Port(string address) => Hex(address[(address.LastIndexOf(':') + 1)..]);

    private static int Hex(string text) => int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : -1;
}
