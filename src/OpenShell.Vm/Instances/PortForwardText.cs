using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace OpenShell.Vm.Instances;

/// <summary>Forwards as they are written on a command line. Pure.</summary>
public static class PortForwardText
{
    /// <summary>How a forward is written.</summary>
    public static string Form { get; } = FormOf("");

    /// <summary>How a forward is written behind an option.</summary>
    public static string FormOf(string option)
    {
        var o = option is { Length: > 0 } ? option + " " : "";
        return $"Write {o}HOST:GUEST, such as {o}8080:80 or {o}5353:53/udp; 0 as HOST takes a free port; with an address {o}127.0.0.1:8080:80 or {o}[::1]:8080:80; a Unix socket by its path, {o}/run/me/web.sock:80.";
    }

    /// <summary><c>[ADDRESS:]HOST:GUEST[/tcp|/udp]</c>, or <c>PATH:GUEST</c>.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="problem">Why it is no forward.</param>
    public static PortForward? Parse(string text, out string problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (IsSocket(text))
            return ParseSocket(text, out problem);
        if (Protocol(ref text, out problem) is not { } protocol)
            return null;
        var guestAt = text.LastIndexOf(':');
        if (guestAt < 0)
        {
            problem = "only one port is given";
            return null;
        }

        var rest = text[..guestAt];
        var hostAt = rest.LastIndexOf(':');
        var address = hostAt < 0 ? null : Address(rest[..hostAt]);
        if (hostAt >= 0 && address is null)
        {
            problem = NotAnAddress(rest[..hostAt]);
            return null;
        }

        // As Docker has it: nothing between the address and the guest's port means a free one.
        var hostText = rest[(hostAt + 1)..];
        var host = hostAt >= 0 && hostText.Length == 0 ? 0 : Port(hostText, 0, "host", out problem);
        if (host is not { } hostPort || Port(text[(guestAt + 1)..], 1, "guest", out problem) is not { } guest)
            return null;
        var forward = new PortForward { Protocol = protocol, HostPort = hostPort, GuestPort = guest };
        return address is null ? forward : forward with { HostAddress = address };
    }

    /// <summary>
    /// What is meant by the text of <c>port remove</c>: the host's end alone (<c>8080</c>, <c>127.0.0.1:8080</c>, <c>5353/udp</c>, a path), or the forward as it was added.
    /// </summary>
    /// <returns>Those that are meant; more than one, or none, is the user's to sort out. <see langword="null"/>: it is no text of a forward.</returns>
    public static IReadOnlyList<PortForward>? Find(string text, IReadOnlyList<PortForward> among, out string problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(among);
        if (IsSocket(text))
        {
            var path = SocketPath(text.LastIndexOf(':') is > 0 and var at && text[(at + 1)..].All(char.IsAsciiDigit) && text.Length > at + 1 ? text[..at] : text);
            problem = "";
            return [.. among.Where(f => f.HostSocket == path)];
        }

        var anyProtocol = !text.Contains('/', StringComparison.Ordinal);
        var whole = text;
        if (Protocol(ref text, out problem) is not { } protocol)
            return null;
        if (Port(text, 1, "host", out problem) is { } port)
            return [.. among.Where(f => f.HostPort == port && f.HostSocket is null && (anyProtocol || f.Protocol == protocol))];
        if (text.LastIndexOf(':') is > 0 and var colon && Address(text[..colon]) is { } address && Port(text[(colon + 1)..], 1, "host", out problem) is { } there)
            return [.. among.Where(f => f.HostPort == there && f.HostAddress == address && (anyProtocol || f.Protocol == protocol))];
        return Parse(whole, out problem) is { } forward ? [.. among.Where(f => f == forward)] : null;
    }

    private static bool IsSocket(string text) => text.StartsWith("unix:", StringComparison.Ordinal) || text.StartsWith('/') || text.StartsWith("./", StringComparison.Ordinal);

    private static string SocketPath(string text) => Path.GetFullPath(text.StartsWith("unix:", StringComparison.Ordinal) ? text["unix:".Length..] : text);

    private static PortForward? ParseSocket(string text, out string problem)
    {
        var at = text.LastIndexOf(':');
        if (at < 0 || text is "unix:" || (at == "unix".Length && text.StartsWith("unix:", StringComparison.Ordinal)))
        {
            problem = "only a socket is given, and no port of the guest";
            return null;
        }

        if (Port(text[(at + 1)..], 1, "guest", out problem) is not { } guest)
            return null;
        var path = SocketPath(text[..at]);
        if (path.Contains('\0', StringComparison.Ordinal) || path.EndsWith('/'))
        {
            problem = "that is no path of a socket";
            return null;
        }

        return new PortForward { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = path, GuestPort = guest };
    }

    private static PortProtocol? Protocol(ref string text, out string problem)
    {
        problem = "";
        if (text.IndexOf('/', StringComparison.Ordinal) is not (>= 0 and var at))
            return PortProtocol.Tcp;
        var name = text[(at + 1)..];
        text = text[..at];
        if (name is "tcp" or "udp")
            return name == "tcp" ? PortProtocol.Tcp : PortProtocol.Udp;
        problem = $"there is no protocol '{name}' to forward; there are tcp and udp";
        return null;
    }

    private static int? Port(string text, int lowest, string side, out string problem)
    {
        problem = text.Contains('-', StringComparison.Ordinal) && text.Split('-').All(part => part.Length > 0 && part.All(char.IsAsciiDigit))
            ? $"'{text}' is a range of ports; name each on its own"
            : $"the {side} port '{text}' is not a number from {lowest} to 65535";
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port >= lowest && port <= IPEndPoint.MaxPort ? port : null;
    }

    // IPAddress.TryParse also takes "1" and "0x7f.1"; an address is only what is written back the same.
    private static string? Address(string text)
    {
        var bare = text is ['[', .. var inner, ']'] ? inner : text;
        return IPAddress.TryParse(bare, out var address) && (address.AddressFamily == AddressFamily.InterNetworkV6 ? text != bare : address.ToString() == bare)
            ? address.ToString()
            : null;
    }

    private static string NotAnAddress(string text) =>
        IPAddress.TryParse(text, out var address) && address.AddressFamily == AddressFamily.InterNetworkV6
            ? $"'{text}' is an IPv6 address, which is written in brackets: [{text}]"
            : $"'{text}' is not an IP address";
}
