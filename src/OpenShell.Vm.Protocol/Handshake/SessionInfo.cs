namespace OpenShell.Vm.Protocol.Handshake;

/// <summary>What a handshake has settled.</summary>
public sealed record SessionInfo
{
    /// <summary>The number that every frame of the session carries.</summary>
    public required uint Epoch { get; init; }

    /// <summary>The version that both sides speak.</summary>
    public required int Version { get; init; }

    /// <summary>Whether this is the side that answered the hello: the host, or the client of a broker.</summary>
    public required bool IsHost { get; init; }

    /// <summary>The nonce of the hello that began it.</summary>
    public required string Nonce { get; init; }

    /// <summary>Who the peer says it is: its role and software, for people.</summary>
    public required string Peer { get; init; }
}
