namespace OpenShell.Vm.Protocol.Mux;

/// <summary>A stream ended before its time: reset by the peer, or lost with its connection. Thrown by a handler, it resets the stream with the same code and text.</summary>
public sealed class MuxStreamException(ProtocolCode code, string message) : IOException(message)
{
    /// <summary>Why.</summary>
    public ProtocolCode Code { get; } = code;
}
