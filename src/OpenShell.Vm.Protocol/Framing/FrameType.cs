namespace OpenShell.Vm.Protocol.Framing;

/// <summary>The types of frames. 1 to 15 belong to the handshake (epoch 0, except READY), 16 and above to a session.</summary>
public enum FrameType : byte
{
    /// <summary>Guest to host: here I am, these versions I speak. JSON <see cref="Messages.Hello"/>.</summary>
    Hello = 1,

    /// <summary>Host to guest: version, epoch, configuration. JSON <see cref="Messages.Welcome"/>.</summary>
    Welcome = 2,

    /// <summary>Guest to host: the session of this frame's epoch begins. Empty.</summary>
    Ready = 3,

    /// <summary>Host to guest: no version in common. JSON <see cref="Messages.Refusal"/>.</summary>
    Refuse = 4,

    /// <summary>Host to guest: say hello, again if need be; any session that there was is over. Empty.</summary>
    Knock = 5,

    /// <summary>A new stream: u8 length of the service's name, the name, then the service's header.</summary>
    Open = 16,

    /// <summary>A message on a stream; its kind is in the frame's header.</summary>
    Message = 17,

    /// <summary>The receiver may send this much more on a stream: u32.</summary>
    Credit = 18,

    /// <summary>The sender will send no more messages on the stream. Empty.</summary>
    End = 19,

    /// <summary>The stream is over: u32 code, text. After END it only tells the receiver to stop sending.</summary>
    Reset = 20,

    /// <summary>Asks for PONG: 8 bytes.</summary>
    Ping = 21,

    /// <summary>PING's 8 bytes, returned.</summary>
    Pong = 22,

    /// <summary>The session is over: u32 code, text. The last frame of its sender.</summary>
    GoAway = 23,
}
