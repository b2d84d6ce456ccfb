using System.Buffers;
using System.Threading.Channels;

namespace OpenShell.Vm.Protocol.Mux;

public sealed partial class MuxStream
{
    // Unbounded in number, but not in size: the peer's credit bounds it.
    private readonly Channel<MuxMessage> _inbox = Channel.CreateUnbounded<MuxMessage>(new() { SingleWriter = true });
    private int _receiveWindow = ProtocolLimits.StreamWindow;
    private int _consumed;
    private bool _creditQueued;

    /// <summary>The next message, which the caller disposes; <see langword="null"/> once the peer has ended its side.</summary>
    /// <exception cref="MuxStreamException">The stream was reset or lost.</exception>
    public async ValueTask<MuxMessage?> ReadAsync(CancellationToken cancellationToken = default)
    {
        while (await _inbox.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_inbox.Reader.TryRead(out var message))
                return message;
        }
        return null;
    }

    /// <exception cref="ProtocolException">More than there was credit for, or after END.</exception>
    internal void OnMessage(byte kind, in ReadOnlySequence<byte> payload)
    {
        var cost = MuxMessage.Cost(payload.Length);
        lock (_gate)
        {
            if (_closed)
                return;
            if (_remoteEnded)
                throw new ProtocolException(ProtocolCode.InvalidStream, $"A message after the end of stream {Id}.");
            if (cost > _receiveWindow)
                throw new ProtocolException(ProtocolCode.FlowControl, $"More was sent on stream {Id} than there was credit for.");
            _receiveWindow -= cost;
        }
        var message = new MuxMessage(this, kind, payload);
        if (!_inbox.Writer.TryWrite(message))
            message.Dispose();
    }

    internal void OnEnd()
    {
        lock (_gate)
        {
            if (_closed)
                return;
            if (_remoteEnded)
                throw new ProtocolException(ProtocolCode.InvalidStream, $"A second end of stream {Id}.");
            _remoteEnded = true;
        }
        _inbox.Writer.TryComplete();
        ForgetIfEnded();
    }

    /// <summary>A message was consumed: its sender may send as much again, once enough has come together.</summary>
    internal void ReturnCredit(int cost)
    {
        lock (_gate)
        {
            _consumed += cost;
            if (_consumed < ProtocolLimits.CreditThreshold || _creditQueued || _closed || _remoteEnded)
                return;
            _creditQueued = true;
        }
        _connection.Enqueue(OutgoingFrame.Credit(this));
    }

    /// <summary>The credit to return, at the moment when it is written.</summary>
    internal int TakeCredit()
    {
        lock (_gate)
        {
            _creditQueued = false;
            if (_closed || _remoteEnded)
                return 0;
            var credit = _consumed;
            _consumed = 0;
            _receiveWindow += credit;
            return credit;
        }
    }

    private void DropInbox(MuxStreamException error)
    {
        _inbox.Writer.TryComplete(error);
        while (_inbox.Reader.TryRead(out var message))
            message.Dispose();
    }
}
