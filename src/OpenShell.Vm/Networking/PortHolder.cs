using System.Globalization;
using System.Net;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Networking;

/// <summary>Finds the process that has a TCP or UDP port: the socket's inode from /proc/net/tcp, tcp6, udp and udp6 (https://docs.kernel.org/networking/proc_net_tcp.html), then whose descriptor it is.</summary>
internal static class PortHolder
{
    private const string Listening = "0A"; // TCP_LISTEN
    private const string Unconnected = "07"; // TCP_CLOSE, which is what a bound socket of UDP is in

    /// <summary>Such as <c>nginx (pid 812)</c>; <see langword="null"/> when it cannot be told: another user's process, or another system.</summary>
    internal static string? Find(IPAddress address, int port, PortProtocol protocol = PortProtocol.Tcp)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var (table, state) = protocol == PortProtocol.Udp ? ("/proc/net/udp", Unconnected) : ("/proc/net/tcp", Listening);
        var inodes = Inodes(table, state, address, port).Concat(Inodes(table + "6", state, address, port)).ToHashSet();
        return inodes.Count == 0 ? null : Owner(inodes);
    }

    private static IEnumerable<string> Inodes(string table, string state, IPAddress address, int port)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(table);
        }
        catch (IOException)
        {
            yield break;
        }

        foreach (var line in lines.Skip(1))
        {
            // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode
            var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > 9 && fields[3] == state && fields[1].Split(':') is [var local, var hex]
                && int.Parse(hex, NumberStyles.HexNumber, CultureInfo.InvariantCulture) == port && Clashes(local, address))
            {
                yield return $"socket:[{fields[9]}]";
            }
        }
    }

    // Each group of four bytes is printed as one number in the host's byte order.
    private static bool Clashes(string local, IPAddress address)
    {
        var bytes = Convert.FromHexString(local);
        for (var i = 0; i < bytes.Length; i += 4)
        {
            if (BitConverter.IsLittleEndian)
                Array.Reverse(bytes, i, 4);
        }

        var listening = new IPAddress(bytes);
        if (listening.IsIPv4MappedToIPv6)
            listening = listening.MapToIPv4();
        return listening.Equals(address) || IsAny(listening) || IsAny(address);
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static string? Owner(HashSet<string> sockets)
    {
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            var pid = Path.GetFileName(process);
            if (!pid.All(char.IsAsciiDigit))
                continue;
            try
            {
                if (Directory.EnumerateFileSystemEntries(process + "/fd").Any(descriptor => IsOneOf(descriptor, sockets)))
                    return $"{File.ReadAllText(process + "/comm").Trim()} (pid {pid})";
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another user's process, or one that has just ended.
            }
        }

        return null;
    }

    // A busy process closes descriptors while they are being looked at: that one is gone, the others are not.
    private static bool IsOneOf(string descriptor, HashSet<string> sockets)
    {
        try
        {
            return new FileInfo(descriptor).LinkTarget is { } target && sockets.Contains(target);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
