using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Json;

/// <summary>A forward, as <c>port add|remove|list</c> print it.</summary>
internal sealed record PortView(PortProtocol Protocol, string? HostAddress, int? HostPort, string? HostSocket, int GuestPort, bool Open, string? For)
{
    public static PortView Of(PortState state) => state.Forward is { HostSocket: { } socket } forward
        ? new PortView(forward.Protocol, null, null, socket, forward.GuestPort, state.InForce, state.Purpose)
        : new PortView(state.Forward.Protocol, state.Forward.HostAddress, state.Forward.HostPort, null, state.Forward.GuestPort, state.InForce, state.Purpose);
}
