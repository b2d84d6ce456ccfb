namespace OpenShell.Vm.Guest.Agent;

/// <summary>A port of virtio-serial, <c>/dev/virtio-ports/NAME</c>.</summary>
internal sealed class VirtioSerialPort(string path) : AgentPort
{
    public override ValueTask<Stream> OpenAsync(CancellationToken cancellationToken) =>
        throw new NotImplementedException($"Opening {path} is not built yet.");
}
