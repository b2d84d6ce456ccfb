using System.Globalization;
using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Networking;

/// <summary>What is said about a port that cannot be had.</summary>
internal static class PortFaults
{
    /// <summary>The code of <see cref="Busy"/>.</summary>
    internal const string BusyCode = "network.port-busy";

    /// <summary>Another process listens there.</summary>
    /// <param name="forward">The forward whose end on the host is meant.</param>
    /// <param name="purpose">What it was wanted for: <c>the gateway</c>.</param>
    internal static FaultException Busy(PortForward forward, string purpose)
    {
        var holder = PortHolder.Find(IPAddress.Parse(forward.HostAddress), forward.HostPort, forward.Protocol);
        return Make(
            BusyCode,
            $"{Port(forward)}, for {purpose}, is in use by {holder ?? "a process that this user may not see"}.",
            "End that process, or choose another port (0 takes a free one).");
    }

    /// <summary>Ports below 1024, or an address that this host does not have.</summary>
    internal static FaultException NotAllowed(PortForward forward, string purpose, SocketException cause) => cause.SocketErrorCode switch
    {
        SocketError.AccessDenied => Make(
            "network.port-privileged",
            $"{Port(forward)}, for {purpose}, may only be opened by root: it is below {FirstUnprivileged()}.",
            string.Create(CultureInfo.InvariantCulture, $"Choose a port from {FirstUnprivileged()} up, or allow it on this machine with 'sudo sysctl net.ipv4.ip_unprivileged_port_start={forward.HostPort}'."),
            cause),
        SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported => Make(
            "network.address-not-here", $"{Port(forward)}, for {purpose}, cannot be opened: this machine has no address {forward.HostAddress}.", "Give an address of this machine ('ip addr' lists them), or leave it out for 127.0.0.1.", cause),
        _ => Make("network.port-not-allowed", $"{Port(forward)}, for {purpose}, cannot be opened: {cause.Message}.", "Choose another port, and an address of this host.", cause),
    };

    /// <summary>The same, or one that takes the same end of the host, is there.</summary>
    internal static FaultException AlreadyForwarded(PortForward asked, PortForward there, string? purpose) => Make(
        "network.forward-exists",
        asked == there ? $"{there.Text()} is forwarded already." : $"{asked.Text()} cannot be added: {there.HostEnd()} is forwarded already{(purpose is null ? "" : $", for {purpose}")} ({there.Text()}).",
        purpose is null ? "See 'gateway port list'; 'gateway port remove' takes one away." : "Choose another port of this machine; 0 takes a free one.");

    /// <summary>Nothing like it is forwarded.</summary>
    internal static FaultException Unknown(string asked, IReadOnlyList<PortForward> there) => Make(
        "network.forward-unknown",
        $"There is no forward {asked}.",
        there.Count == 0 ? "There is none that could be removed." : $"Name one of: {string.Join(", ", there.Select(f => f.HostEnd() + (f.Protocol == PortProtocol.Udp ? "/udp" : "")))}.");

    /// <summary>More than one is meant.</summary>
    internal static FaultException Ambiguous(string asked, IReadOnlyList<PortForward> meant) => Make(
        "network.forward-ambiguous", $"{asked} may mean {string.Join(" or ", meant.Select(f => f.Text()))}.", "Write the address and the protocol too, such as 127.0.0.1:8080/udp.");

    /// <summary>It belongs to the instance itself.</summary>
    internal static FaultException Needed(PortForward forward, string purpose) => Make(
        "network.forward-needed", $"{forward.Text()} is {purpose}'s, without which the instance is of no use.", "Leave it; another port for the gateway is chosen at start, with --gateway-port.");

    /// <summary>The instance's network has no forwards that could be changed while it runs.</summary>
    internal static FaultException Fixed(string network) => Make(
        "network.ports-fixed", $"With --network {network} forwards cannot be changed while the machine runs.", "Start it with --network gvproxy.");

    private static string Port(PortForward forward) =>
        string.Create(CultureInfo.InvariantCulture, $"{(forward.Protocol == PortProtocol.Udp ? "UDP port" : "Port")} {forward.HostPort} of {forward.HostAddress}");

    /// <summary>https://docs.kernel.org/networking/ip-sysctl.html</summary>
    private static string FirstUnprivileged()
    {
        try
        {
            return File.ReadAllText("/proc/sys/net/ipv4/ip_unprivileged_port_start").Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "1024";
        }
    }

    private static FaultException Make(string code, string what, string remedy, Exception? cause = null) =>
        new(new Fault { Code = code, Stage = BootStages.Network, What = what, Remedy = remedy }, cause);
}
