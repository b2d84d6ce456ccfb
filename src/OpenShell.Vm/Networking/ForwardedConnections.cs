using System.Globalization;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Networking;

/// <summary>Connections to forwarded ports of this host, read where the kernel lists them (https://docs.kernel.org/networking/proc_net_tcp.html).</summary>
internal static class ForwardedConnections
{
    private const int Established = 0x01, TimeWait = 0x06;

    private static readonly string[] Tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>Whether one of the ports has a connection, or had one within the last minute (it then waits out its time at one of its ends).</summary>
    internal static bool Any(IReadOnlyCollection<PortForward> forwards)
    {
        var ports = forwards.Where(forward => forward.Protocol == PortProtocol.Tcp).Select(forward => forward.HostPort).ToHashSet();
        return Tables.Where(File.Exists).Any(table => File.ReadLines(table).Skip(1).Any(line => IsOneOf(ports, line)));
    }

    /// <summary>Such as <c>0: 0100007F:7563 0100007F:D2F0 01 ...</c>: number, local and remote address with port, state, in hexadecimal.</summary>
    internal static bool IsOneOf(IReadOnlySet<int> ports, string line)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return fields.Length > 3 && Hex(fields[3]) is Established or TimeWait && (ports.Contains(Port(fields[1])) || ports.Contains(Port(fields[2])));
    }

    private static int Port(string address) => Hex(address[(address.LastIndexOf(':') + 1)..]);

    private static int Hex(string text) => int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : -1;
}
