namespace OpenShell.Vm.Protocol.Mux;

/// <summary>Why a connection is over.</summary>
/// <param name="Code">The reason.</param>
/// <param name="Text">For a person. When <paramref name="ByPeer"/>, the peer's words: not to be shown on a terminal without filtering.</param>
/// <param name="ByPeer">Whether the peer said so.</param>
public sealed record ConnectionEnd(ProtocolCode Code, string Text, bool ByPeer);
