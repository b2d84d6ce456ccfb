namespace OpenShell.Vm.Protocol.Handshake;

/// <summary>The two sides have no version of the protocol in common.</summary>
public sealed class HandshakeException(string message) : IOException(message);
