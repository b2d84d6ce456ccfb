using System.Diagnostics.CodeAnalysis;
using OpenShell.Vm.Protocol.Framing;

namespace OpenShell.Vm.Protocol.Mux;

/// <summary>
/// One conversation on a connection: ordered messages both ways, each way with its own credit and its own end. One reader at a time; any
/// number of writers, whose messages are never mixed.
/// </summary>
[SuppressMessage("Naming", "CA1711", Justification = "A stream of a multiplexed connection, as HTTP/2 and QUIC call it.")]
public sealed partial class MuxStream : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly MuxConnection _connection;
    private readonly CancellationTokenSource _aborted = new();
    private bool _localEnded;
    private bool _remoteEnded;
    private bool _closed;

    internal MuxStream(MuxConnection connection, uint id, string service, ReadOnlyMemory<byte> header)
    {
        _connection = connection;
        Id = id;
        Service = service;
        Header = header;
    }

    /// <summary>Its number on the connection: odd when the host opened it, even when the guest did.</summary>
    public uint Id { get; }

    /// <summary>The service that was asked for.</summary>
    public string Service { get; }

    /// <summary>What the opener sent along: JSON, for the services of <see cref="ServiceNames"/>.</summary>
    public ReadOnlyMemory<byte> Header { get; }

    /// <summary>
    /// Cancelled when the peer reset the stream, or the connection is lost: nobody waits for what this side does. After the peer's END that alone
    /// is no error to whoever reads; what it sent is still good.
    /// </summary>
    public CancellationToken Aborted => _aborted.Token;

    /// <summary>
    /// Lets go of the stream: what the peer still sends is thrown away. If this side's messages were not ended before, the peer sees the stream
    /// reset as cancelled; else it is told that nothing more is wanted of it.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        Reset(_localEnded ? ProtocolCode.Done : ProtocolCode.Cancelled, string.Empty);
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// Ends the stream both ways, at once. After <see cref="CompleteWritesAsync"/> the peer still gets all that was sent before.
    /// </summary>
    public void Reset(ProtocolCode code, string text)
    {
        var error = new MuxStreamException(code, text.Length == 0 ? "The stream was closed." : text);
        FailWriters(error);
        DropInbox(error);
        lock (_gate)
        {
            if (_closed)
                return;
            _closed = true;
        }
        _connection.Forget(this);
        _connection.Enqueue(OutgoingFrame.End(FrameType.Reset, Id, code, text));
    }

    /// <summary>The peer's RESET, or the loss of the connection.</summary>
    internal void OnReset(ProtocolCode code, string text)
    {
        var error = new MuxStreamException(code, text.Length == 0 ? "The stream was closed by the other side." : text);
        bool ended;
        lock (_gate)
        {
            ended = _remoteEnded;
            _closed = true;
        }
        FailWriters(error);
        if (!ended)
            DropInbox(error);
        // Not here: what hangs on the token may take its time, and this is the connection's reader.
        ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), _aborted, preferLocal: false);
    }

    /// <summary>Both sides have ended their messages: nothing more will come or go, but what was received can still be read.</summary>
    private void ForgetIfEnded()
    {
        lock (_gate)
        {
            if (_closed || !_localEnded || !_remoteEnded)
                return;
            _closed = true;
        }
        _connection.Forget(this);
    }
}
