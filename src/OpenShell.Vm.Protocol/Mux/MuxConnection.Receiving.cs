using System.Buffers;
using System.Buffers.Binary;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Protocol.Mux;

public sealed partial class MuxConnection
{
    private uint _lastPeerId;
    private int _handlersRunning;

    private async Task ReadLoopAsync()
    {
        try
        {
            while (_end is null)
            {
                var result = await _transport.Input.ReadAsync().ConfigureAwait(false);
                var buffer = result.Buffer;
                var end = buffer.End;
                try
                {
                    while (_end is null && _transport.Reader.TryRead(ref buffer, out var frame))
                        Handle(frame);
                }
                finally
                {
                    // What a session leaves unread is offered again, to the next handshake.
                    _transport.Input.AdvanceTo(buffer.Start, _end is null ? end : buffer.Start);
                }
                if (result.IsCompleted)
                    Finish(new ConnectionEnd(ProtocolCode.TransportClosed, "The other side has closed the connection.", ByPeer: false));
            }
        }
        catch (ProtocolException e)
        {
            Finish(new ConnectionEnd(e.Code, e.Message, ByPeer: false));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            Finish(new ConnectionEnd(ProtocolCode.TransportClosed, e.Message, ByPeer: false));
        }
#pragma warning disable CA1031 // A defect here must end the session visibly, not leave it deaf.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Finish(new ConnectionEnd(ProtocolCode.Internal, e.Message, ByPeer: false));
        }
    }

    private void Handle(in Frame frame)
    {
        var header = frame.Header;
        // A whole frame of an earlier session.
        if (header.Epoch != 0 && header.Epoch != Session.Epoch)
            return;
        if (header.Kind != 0 && header.Type != FrameType.Message)
            throw new ProtocolException(ProtocolCode.InvalidFrame, $"A frame of type {(byte)header.Type} has no kind.");
        if (header.Epoch == 0)
        {
            HandleHandshake(frame);
            return;
        }
        switch (header.Type)
        {
            case FrameType.Ping or FrameType.Pong or FrameType.GoAway when header.Stream != 0:
                throw new ProtocolException(ProtocolCode.InvalidStream, $"A frame of type {(byte)header.Type} belongs to no stream.");
            case FrameType.Open:
                Accept(header.Stream, frame.Payload);
                break;
            case FrameType.Message:
                Find(header.Stream)?.OnMessage(header.Kind, frame.Payload);
                break;
            case FrameType.Credit:
                Find(header.Stream)?.OnCredit((uint)ReadNumber(frame.Payload, 4));
                break;
            case FrameType.End:
                Find(header.Stream)?.OnEnd();
                break;
            case FrameType.Reset:
                OnReset(header.Stream, ErrorPayload.Decode(frame.Payload));
                break;
            case FrameType.Ping:
                Enqueue(new OutgoingFrame(FrameType.Pong, 0, Require(frame.Payload, 8).ToArray()));
                break;
            case FrameType.Pong:
                OnPong(ReadNumber(frame.Payload, 8));
                break;
            case FrameType.GoAway:
                var (code, text) = ErrorPayload.Decode(frame.Payload);
                Finish(new ConnectionEnd(code, text, ByPeer: true));
                break;
            default:
                throw new ProtocolException(ProtocolCode.UnknownFrame, $"Frames of type {(byte)header.Type} are unknown.");
        }
    }

    /// <summary>Repeated hellos and welcomes may trail into the session; a knock, or a hello with another nonce, means that the peer began anew.</summary>
    private void HandleHandshake(in Frame frame)
    {
        var superseded = frame.Header.Type switch
        {
            FrameType.Knock => !Session.IsHost,
            FrameType.Hello => Session.IsHost && HandshakeJson.TryRead(frame.Payload.ToArray(), ProtocolJson.Default.Hello)?.Nonce != Session.Nonce,
            FrameType.Welcome or FrameType.Refuse => false,
            _ => throw new ProtocolException(ProtocolCode.UnknownFrame, $"Frames of type {(byte)frame.Header.Type} belong to a session."),
        };
        if (superseded)
            Finish(new ConnectionEnd(ProtocolCode.Superseded, "The other side began a new session.", ByPeer: true));
    }

    /// <summary>The stream, or <see langword="null"/> for one that is over: frames on it may still have been under way.</summary>
    private MuxStream? Find(uint id)
    {
        if (_streams.TryGetValue(id, out var stream))
            return stream;
        var known = id != 0 && (IsOwn(id) ? id < Volatile.Read(ref _nextId) : id <= _lastPeerId);
        return known ? null : throw new ProtocolException(ProtocolCode.InvalidStream, $"Stream {id} was never opened.");
    }

    private void OnReset(uint id, (ProtocolCode Code, string Text) reason)
    {
        if (Find(id) is not { } stream)
            return;
        stream.OnReset(reason.Code, reason.Text);
        Forget(stream);
    }

    private void Accept(uint id, in ReadOnlySequence<byte> payload)
    {
        if (id == 0 || IsOwn(id) || id <= _lastPeerId)
            throw new ProtocolException(ProtocolCode.InvalidStream, $"Stream {id} cannot be opened.");
        _lastPeerId = id;
        var (service, header) = OpenPayload.Decode(payload);
        if (_handlers(service) is not { } handler)
        {
            Enqueue(OutgoingFrame.End(FrameType.Reset, id, ProtocolCode.UnknownService, $"There is no service '{service}'."));
            return;
        }
        if (Volatile.Read(ref _handlersRunning) >= ProtocolLimits.MaxHandlers)
        {
            Enqueue(OutgoingFrame.End(FrameType.Reset, id, ProtocolCode.TooManyStreams, $"{ProtocolLimits.MaxHandlers} requests are being served already."));
            return;
        }
        var stream = new MuxStream(this, id, service, header);
        _streams[id] = stream;
        // The session may have ended meanwhile, and its streams with it: whichever comes second sees the other.
        if (_end is { } end)
            stream.OnReset(end.Code, end.Text);
        Interlocked.Increment(ref _handlersRunning);
        _ = Task.Run(() => ServeAsync(handler, stream));
    }

    private async Task ServeAsync(MuxStreamHandler handler, MuxStream stream)
    {
        try
        {
            await handler(stream, stream.Aborted).ConfigureAwait(false);
            await stream.CompleteWritesAsync().ConfigureAwait(false);
        }
        catch (MuxStreamException e)
        {
            stream.Reset(e.Code, e.Message);
        }
        catch (OperationCanceledException)
        {
            stream.Reset(ProtocolCode.Cancelled, string.Empty);
        }
#pragma warning disable CA1031 // The peer learns of any failure; the connection and its other streams go on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            stream.Reset(ProtocolCode.Internal, $"{stream.Service}: {e.Message}");
        }
        finally
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            Interlocked.Decrement(ref _handlersRunning);
        }
    }

    private static ulong ReadNumber(in ReadOnlySequence<byte> payload, int size)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        Require(payload, size).CopyTo(bytes);
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes);
    }

    private static ReadOnlySequence<byte> Require(in ReadOnlySequence<byte> payload, int size) =>
        payload.Length == size ? payload : throw new ProtocolException(ProtocolCode.InvalidFrame, $"A payload of {payload.Length} bytes instead of {size}.");
}
