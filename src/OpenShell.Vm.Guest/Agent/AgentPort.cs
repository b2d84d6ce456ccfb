using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>Where the guest finds the host: something that can be opened, and opened again after the host went away.</summary>
public abstract class AgentPort
{
    /// <summary>The virtio-serial port of QEMU machines; one process can have it open at a time.</summary>
    public static AgentPort VirtioSerial(string path = GuestPaths.AgentPort) => new VirtioSerialPort(path);

    /// <summary>The vsock port on which the host calls, of libkrun's machines. Listens from now on.</summary>
    /// <exception cref="IOException">This kernel has no vsock, or the port is taken.</exception>
    public static AgentPort Vsock(int port = GuestPaths.AgentVsockPort) => new ListeningPort(VsockSocket.Listen(port), VsockSocket.IsHost);

    /// <summary>Any other way, such as a socket in tests.</summary>
    public static AgentPort From(Func<CancellationToken, ValueTask<Stream>> open) => new DelegatePort(open);

    /// <summary>Opens the port; called again after its stream has ended and was disposed.</summary>
    public abstract ValueTask<Stream> OpenAsync(CancellationToken cancellationToken);

    private sealed class DelegatePort(Func<CancellationToken, ValueTask<Stream>> open) : AgentPort
    {
        public override ValueTask<Stream> OpenAsync(CancellationToken cancellationToken) => open(cancellationToken);
    }
}
