using System.Net;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Networking;

/// <summary>What is said about a port that cannot be had.</summary>
internal static class PortFaults
{
    /// <summary>Another process listens there.</summary>
    /// <param name="address">The address on the host.</param>
    /// <param name="port">The port on the host.</param>
    /// <param name="purpose">What it was wanted for: <c>the gateway</c>.</param>
    internal static FaultException Busy(string address, int port, string purpose)
    {
        var holder = PortHolder.Find(IPAddress.Parse(address), port);
        return new FaultException(new Fault
        {
            Code = "network.port-busy",
            Stage = BootStages.Network,
            What = $"Port {port} of {address}, for {purpose}, is in use by {holder ?? "a process that this user may not see"}.",
            Remedy = "End that process, or choose another port (0 takes a free one).",
        });
    }

    /// <summary>Ports below 1024, or an address that this host does not have.</summary>
    internal static FaultException NotAllowed(string address, int port, string purpose, Exception cause) => new(
        new Fault
        {
            Code = "network.port-not-allowed",
            Stage = BootStages.Network,
            What = $"Port {port} of {address}, for {purpose}, cannot be opened: {cause.Message}.",
            Remedy = "Choose a port from 1024 up, and an address of this host.",
        },
        cause);
}
