namespace OpenShell.Vm.Protocol;

/// <summary>The peer broke the protocol: the connection cannot go on. Carried to the peer by GOAWAY.</summary>
public sealed class ProtocolException(ProtocolCode code, string message) : IOException(message)
{
    /// <summary>The rule that was broken.</summary>
    public ProtocolCode Code { get; } = code;
}
