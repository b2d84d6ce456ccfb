using System.Globalization;
using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Options.Values;

/// <summary><c>-p [ADDRESS:]HOST:GUEST</c>.</summary>
internal static class PortForwardParser
{
    private const string Form = "Write -p HOST:GUEST, such as -p 8080:80; 0 as HOST takes a free port; with an address -p 127.0.0.1:8080:80 or -p [::1]:8080:80.";

    /// <summary>Reads every forward; adds a fault for each that is wrong, and for each that asks for a host port a second time.</summary>
    public static IReadOnlyList<PortForward> ParseAll(IEnumerable<string> texts, ICollection<Fault> faults)
    {
        var forwards = new List<PortForward>();
        foreach (var text in texts)
        {
            if (Parse(text, out var problem) is not { } forward)
            {
                faults.Add(ValueFaults.Make("-p", text, problem, Form));
                continue;
            }

            if (forwards.Any(f => f.HostPort == forward.HostPort && f.HostPort != 0 && SameAddress(f.HostAddress, forward.HostAddress)))
                faults.Add(ValueFaults.Make("-p", text, $"host port {forward.HostPort} is already forwarded by another -p", "Give each host port once, or 0 for a free one."));
            else
                forwards.Add(forward);
        }

        return forwards;
    }

    private static PortForward? Parse(string text, out string problem)
    {
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
            problem = $"'{rest[..hostAt]}' is not an IP address";
            return null;
        }

        if (Port(rest[(hostAt + 1)..], 0, "host", out problem) is not { } host || Port(text[(guestAt + 1)..], 1, "guest", out problem) is not { } guest)
            return null;
        var forward = new PortForward { HostPort = host, GuestPort = guest };
        return address is null ? forward : forward with { HostAddress = address };
    }

    private static int? Port(string text, int lowest, string side, out string problem)
    {
        problem = $"the {side} port '{text}' is not a number from {lowest} to 65535";
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port >= lowest && port <= 65535 ? port : null;
    }

    // IPAddress.TryParse also takes "1" and "0x7f.1"; an address is only what is written back the same.
    private static string? Address(string text)
    {
        var bare = text is ['[', .. var inner, ']'] ? inner : text;
        return IPAddress.TryParse(bare, out var address) && (address.AddressFamily == AddressFamily.InterNetworkV6 ? text != bare : address.ToString() == bare)
            ? address.ToString()
            : null;
    }

    private static bool SameAddress(string a, string b) => a == b || IsAny(a) || IsAny(b);

    private static bool IsAny(string address) => address is "0.0.0.0" or "::";
}
