using System.Collections.Concurrent;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;

namespace OpenShell.Vm.Protocol.Mux;

/// <summary>
/// Serves a stream that the peer opened. When it returns, this side's messages are ended; when it throws, the stream is reset with the code of a
/// <see cref="MuxStreamException"/>, else as <see cref="ProtocolCode.Internal"/>. The token is the stream's <see cref="MuxStream.Aborted"/>.
/// </summary>
public delegate Task MuxStreamHandler(MuxStream stream, CancellationToken cancellationToken);

/// <summary>
/// A session: many streams over one byte stream. One loop reads and hands out, never waiting for a consumer; one loop drains a queue that holds at most
/// one message of each stream. Memory is bounded by what credit the peer was given, and by <see cref="ProtocolLimits"/>.
/// </summary>
public sealed partial class MuxConnection : IAsyncDisposable
{
    private readonly FrameTransport _transport;
    private readonly Func<string, MuxStreamHandler?> _handlers;
    private readonly ConcurrentDictionary<uint, MuxStream> _streams = new();
    private readonly Lock _opening = new();
    private readonly TaskCompletionSource<ConnectionEnd> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stopWriting = new();
    private volatile ConnectionEnd? _end;
    private uint _nextId;
    private int _ownStreams;

    private MuxConnection(FrameTransport transport, SessionInfo session, Func<string, MuxStreamHandler?> handlers)
    {
        _transport = transport;
        _handlers = handlers;
        Session = session;
        _nextId = session.IsHost ? 1u : 2u;
    }

    /// <summary>What the handshake settled.</summary>
    public SessionInfo Session { get; }

    /// <summary>Completes when the session is over and the transport is not used any more; never faults.</summary>
    public Task<ConnectionEnd> Closed => _closed.Task;

    /// <summary>Starts a session on a transport fresh from its handshake. The transport stays the caller's, for another session or to be disposed.</summary>
    /// <param name="transport">The byte stream.</param>
    /// <param name="session">What the handshake settled.</param>
    /// <param name="handlers">The handler of a service by name; <see langword="null"/>: unknown. Called on the reading loop: it only looks up.</param>
    public static MuxConnection Start(FrameTransport transport, SessionInfo session, Func<string, MuxStreamHandler?> handlers)
    {
        var connection = new MuxConnection(transport, session, handlers);
        _ = connection.RunAsync();
        return connection;
    }

    /// <summary>
    /// Opens a stream without waiting for the peer: if it has no such service, or too many streams, the stream's first read says so.
    /// </summary>
    /// <exception cref="MuxStreamException">The session is over, or this side has <see cref="ProtocolLimits.MaxStreams"/> open.</exception>
    /// <exception cref="ArgumentException">The name or the header is too long.</exception>
    public MuxStream OpenStream(string service, ReadOnlyMemory<byte> header = default)
    {
        var payload = OpenPayload.Encode(service, header.Span);
        lock (_opening)
        {
            if (_end is { } end)
                throw new MuxStreamException(end.Code, end.Text);
            if (_ownStreams >= ProtocolLimits.MaxStreams)
                throw new MuxStreamException(ProtocolCode.TooManyStreams, $"{ProtocolLimits.MaxStreams} streams are open already.");
            var stream = new MuxStream(this, _nextId, service, header);
            _nextId += 2;
            _ownStreams++;
            _streams[stream.Id] = stream;
            Enqueue(new OutgoingFrame(FrameType.Open, stream.Id, payload));
            return stream;
        }
    }

    /// <summary>Ends the session: streams are lost, the peer is told. Does not wait for handlers, which see their token cancelled.</summary>
    public async ValueTask DisposeAsync()
    {
        Finish(new ConnectionEnd(ProtocolCode.Done, "The connection was closed.", ByPeer: false));
        await _closed.Task.ConfigureAwait(false);
    }

    internal void Forget(MuxStream stream)
    {
        if (_streams.TryRemove(stream.Id, out _) && IsOwn(stream.Id))
            Interlocked.Decrement(ref _ownStreams);
    }

    private bool IsOwn(uint id) => (id & 1) == (Session.IsHost ? 1u : 0u);

    private async Task RunAsync()
    {
        var writing = WriteLoopAsync();
        await ReadLoopAsync().ConfigureAwait(false);
        // GOAWAY is the last in the queue; a peer that does not read is not waited for long.
        _stopWriting.CancelAfter(ProtocolLimits.CloseGrace);
        await writing.ConfigureAwait(false);
        _stopWriting.Dispose();
        _closed.TrySetResult(_end!);
    }

    /// <summary>Ends the session, once: the first reason counts.</summary>
    private void Finish(ConnectionEnd end)
    {
        lock (_opening)
        {
            if (_end is not null)
                return;
            _end = end;
        }
        foreach (var stream in _streams.Values)
            stream.OnReset(end.Code == ProtocolCode.Done ? ProtocolCode.TransportClosed : end.Code, end.Text);
        _streams.Clear();
        if (end is { ByPeer: false, Code: not ProtocolCode.TransportClosed })
            _queue.Writer.TryWrite(OutgoingFrame.End(FrameType.GoAway, 0, end.Code, end.Text));
        _queue.Writer.TryComplete();
        FailPings(end);
        _transport.Input.CancelPendingRead();
    }
}
