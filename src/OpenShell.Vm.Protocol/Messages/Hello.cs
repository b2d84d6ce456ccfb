namespace OpenShell.Vm.Protocol.Messages;

/// <summary>The first word, from the side that serves: a guest, or a broker.</summary>
public sealed record Hello
{
    /// <summary>The oldest version of the protocol that the sender speaks.</summary>
    public required int MinVersion { get; init; }

    /// <summary>The newest.</summary>
    public required int MaxVersion { get; init; }

    /// <summary>32 hexadecimal digits from a random source, new for every session; the answer repeats them, so that no answer to an earlier hello is taken for one to this.</summary>
    public required string Nonce { get; init; }

    /// <summary>Who speaks: <c>guest</c> or <c>broker</c>.</summary>
    public required string Role { get; init; }

    /// <summary>The sender's program and version, for people.</summary>
    public string? Software { get; init; }
}

/// <summary>The answer to <see cref="Hello"/>.</summary>
public sealed record Welcome
{
    /// <summary>That of the hello.</summary>
    public required string Nonce { get; init; }

    /// <summary>The version that both speak from now on.</summary>
    public required int Version { get; init; }

    /// <summary>The session's number: random, never 0; every frame of the session carries it, and no frame of an earlier one does.</summary>
    public required uint Epoch { get; init; }

    /// <summary>What the guest is to do; absent from a host that only attaches to one.</summary>
    public GuestConfig? Config { get; init; }

    /// <summary>The sender's program and version, for people.</summary>
    public string? Software { get; init; }
}

/// <summary>The answer to a <see cref="Hello"/> of which the host speaks no version.</summary>
public sealed record Refusal
{
    /// <summary>That of the hello.</summary>
    public required string Nonce { get; init; }

    /// <summary>The oldest version that the host speaks.</summary>
    public required int MinVersion { get; init; }

    /// <summary>The newest.</summary>
    public required int MaxVersion { get; init; }
}
