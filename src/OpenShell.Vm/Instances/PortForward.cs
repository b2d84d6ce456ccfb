using System.Globalization;
using System.Net;

namespace OpenShell.Vm.Instances;

/// <summary>What is forwarded.</summary>
public enum PortProtocol
{
    /// <summary>A TCP port of the host to one of the guest.</summary>
    Tcp,

    /// <summary>A UDP port of the host to one of the guest.</summary>
    Udp,

    /// <summary>A Unix socket of the host to a TCP port of the guest.</summary>
    Unix,
}

/// <summary>A port, or a socket, of the host that leads to a port of the guest.</summary>
public sealed record PortForward
{
    /// <summary>What is forwarded.</summary>
    public PortProtocol Protocol { get; init; }

    /// <summary>Address on the host: an IP literal, loopback unless the user gave another.</summary>
    public string HostAddress { get; init => field = value ?? "127.0.0.1"; } = "127.0.0.1";

    /// <summary>Port on the host, 1 to 65535; 0: a free one, chosen at start. Of a Unix socket always 0.</summary>
    public required int HostPort { get; init; }

    /// <summary>The Unix socket on the host: an absolute path.</summary>
    public string? HostSocket { get; init; }

    /// <summary>Port in the guest, 1 to 65535; of TCP where the host's end is a Unix socket.</summary>
    public required int GuestPort { get; init; }

    /// <summary>The host's end as people write it: <c>127.0.0.1:8080</c>, <c>[::1]:8080</c>, <c>/run/user/1000/web.sock</c>.</summary>
    public string HostEnd() => HostSocket ?? string.Create(CultureInfo.InvariantCulture, $"{(HostAddress.Contains(':', StringComparison.Ordinal) ? $"[{HostAddress}]" : HostAddress)}:{HostPort}");

    /// <summary>Such as <c>127.0.0.1:8080 -> 80</c>, <c>127.0.0.1:5353 -> 53/udp</c>.</summary>
    public string Text() => string.Create(CultureInfo.InvariantCulture, $"{HostEnd()} -> {GuestPort}{(Protocol == PortProtocol.Udp ? "/udp" : "")}");

    /// <summary>As it is asked for: <c>-p 8080:80</c>.</summary>
    public string Option() => Protocol == PortProtocol.Unix
        ? string.Create(CultureInfo.InvariantCulture, $"-p {HostSocket}:{GuestPort}")
        : string.Create(CultureInfo.InvariantCulture, $"-p {HostPort}:{GuestPort}{(Protocol == PortProtocol.Udp ? "/udp" : "")}");

    /// <summary>Whether both cannot be had, since they take the same end of the host. What is not chosen yet (port 0) takes none.</summary>
    public bool ClashesWith(PortForward other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (Protocol != other.Protocol)
            return false;
        if (Protocol == PortProtocol.Unix)
            return HostSocket == other.HostSocket;
        return HostPort != 0 && HostPort == other.HostPort && (HostAddress == other.HostAddress || IsAny(HostAddress) || IsAny(other.HostAddress));
    }

    private static bool IsAny(string address) => IPAddress.TryParse(address, out var parsed) && (parsed.Equals(IPAddress.Any) || parsed.Equals(IPAddress.IPv6Any));
}
