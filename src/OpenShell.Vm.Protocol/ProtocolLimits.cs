namespace OpenShell.Vm.Protocol;

/// <summary>Every limit of the protocol, once. What exceeds one is refused with an error, never cut to fit. PROTOCOL.md has them as a table.</summary>
public static class ProtocolLimits
{
    /// <summary>The versions that this code speaks; there is one so far.</summary>
    public const int MinVersion = 1;

    /// <inheritdoc cref="MinVersion"/>
    public const int MaxVersion = 1;

    /// <summary>Bytes of a frame's header.</summary>
    public const int HeaderSize = 28;

    /// <summary>
    /// Bytes of a frame's payload at most: large enough that the header is 0.04 % of a bulk transfer, small enough that a frame delays those
    /// of other streams by little, and the same as a Linux pipe holds.
    /// </summary>
    public const int MaxPayload = 64 * 1024;

    /// <summary>Bytes of HELLO's and REFUSE's payload at most. Small, since a reader that lost its place may wait for one that was never sent.</summary>
    public const int MaxHelloPayload = 4 * 1024;

    /// <summary>Bytes of a service's name in UTF-8 at most.</summary>
    public const int MaxServiceName = 64;

    /// <summary>Bytes of the text of RESET and GOAWAY in UTF-8 at most.</summary>
    public const int MaxErrorText = 1024;

    /// <summary>Credit that each side of a new stream has: four messages of the largest size, so that a round trip does not stop a bulk transfer.</summary>
    public const int StreamWindow = 256 * 1024;

    /// <summary>What a message costs in credit besides its payload, so that a flood of tiny or empty messages is bounded too.</summary>
    public const int MessageOverhead = 64;

    /// <summary>Credit is given back when this much was consumed: often enough that the sender is never starved by what was held back.</summary>
    public const int CreditThreshold = StreamWindow / 4;

    /// <summary>Credit that one side may ever hold: more is an overflow.</summary>
    public const int MaxCredit = 16 * 1024 * 1024;

    /// <summary>Streams that one side may have open at a time, of those that it opened itself.</summary>
    public const int MaxStreams = 256;

    /// <summary>Handlers that one side runs at a time for the other. Twice <see cref="MaxStreams"/>, since a handler may outlive its stream by its cleaning up.
    /// With <see cref="StreamWindow"/> this bounds what a peer can make one keep in memory: 192 MiB.</summary>
    public const int MaxHandlers = 2 * MaxStreams;

    /// <summary>
    /// Frames without flow control (answers to pings, credits, resets) that may wait to be written. A peer that behaves cannot reach it:
    /// per stream there is at most one each of CREDIT, END and RESET.
    /// </summary>
    public const int MaxQueuedControlFrames = 4096;

    /// <summary>Frames are gathered into writes of about this many bytes.</summary>
    public const int WriteBatch = 128 * 1024;

    /// <summary>
    /// Zeros that a host sends when a guest does not answer a knock: they complete any frame that an earlier host's end cut off, whose
    /// rest the guest still waits for.
    /// </summary>
    public const int PaddingSize = HeaderSize + MaxPayload;

    /// <summary>How long a host waits for HELLO before it sends <see cref="PaddingSize"/> zeros, once.</summary>
    public static readonly TimeSpan PaddingDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a guest waits for an answer before it says hello again the first time; doubled each time.</summary>
    public static readonly TimeSpan HelloDelay = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest time between two hellos.</summary>
    public static readonly TimeSpan MaxHelloDelay = TimeSpan.FromSeconds(1);

    /// <summary>How long a closing connection tries to say GOAWAY to a peer that does not read.</summary>
    public static readonly TimeSpan CloseGrace = TimeSpan.FromMilliseconds(500);

    /// <summary>Stage reports that a guest keeps while no host is connected; then the oldest give way.</summary>
    public const int MaxQueuedReports = 1024;
}
