namespace OpenShell.Vm.Protocol;

/// <summary>
/// Why a stream or a connection ended, as RESET and GOAWAY carry it. Numbers are never reused; a receiver treats one that it does not know as <see cref="Failed"/>.
/// </summary>
public enum ProtocolCode : uint
{
    /// <summary>Nothing went wrong; the sender needs nothing more.</summary>
    Done = 0,

    /// <summary>The sender has lost interest.</summary>
    Cancelled = 1,

    /// <summary>There is no service of that name.</summary>
    UnknownService = 2,

    /// <summary>Too many streams are open; try again when one has ended.</summary>
    TooManyStreams = 3,

    /// <summary>The service does not understand the request, or it breaks a rule.</summary>
    InvalidRequest = 4,

    /// <summary>What was asked for does not exist.</summary>
    NotFound = 5,

    /// <summary>It exists, but may not be used so.</summary>
    Denied = 6,

    /// <summary>It was tried and did not work; the text says why.</summary>
    Failed = 7,

    /// <summary>The other side of a broker is not connected at the moment.</summary>
    Unavailable = 8,

    /// <summary>A defect of the sender.</summary>
    Internal = 9,

    /// <summary>No frame starts where one should, or its payload was damaged.</summary>
    LostSync = 16,

    /// <summary>A frame or message is longer than the limit.</summary>
    FrameTooLarge = 17,

    /// <summary>The type of a frame is unknown in this version.</summary>
    UnknownFrame = 18,

    /// <summary>A frame breaks the rules of its type.</summary>
    InvalidFrame = 19,

    /// <summary>A frame names a stream that it cannot name.</summary>
    InvalidStream = 20,

    /// <summary>More was sent than there was credit, or more credit was given than there can be.</summary>
    FlowControl = 21,

    /// <summary>Too many frames that need no credit.</summary>
    Flood = 22,

    /// <summary>A new session takes the place of this one.</summary>
    Superseded = 23,

    /// <summary>The byte stream underneath ended.</summary>
    TransportClosed = 24,
}
