using OpenShell.Vm.Protocol.Framing;

namespace OpenShell.Vm.Protocol.Mux;

public sealed partial class MuxStream
{
    // Held from the wait for credit until the message is written: so a stream has at most one message in the connection's queue, and the queue is fair.
    private readonly SemaphoreSlim _writing = new(1);
    private int _sendCredit = ProtocolLimits.StreamWindow;
    private MuxStreamException? _sendError;
    private TaskCompletionSource? _creditArrived;

    /// <summary>
    /// Sends a message, once there is credit and its turn has come. Cancelling takes it back whole. The payload may be reused when this completes.
    /// </summary>
    /// <exception cref="MuxStreamException">The peer reset the stream or wants no more of it, or the connection is lost.</exception>
    /// <exception cref="ArgumentException">The payload is longer than <see cref="ProtocolLimits.MaxPayload"/>.</exception>
    /// <exception cref="InvalidOperationException">This side's messages were ended.</exception>
    public async ValueTask WriteAsync(byte kind, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken = default)
    {
        if (payload.Length > ProtocolLimits.MaxPayload)
            throw new ArgumentException($"A message holds at most {ProtocolLimits.MaxPayload} bytes, not {payload.Length}.", nameof(payload));
        var cost = MuxMessage.Cost(payload.Length);
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await TakeSendCreditAsync(cost, cancellationToken).ConfigureAwait(false);
            await SendAsync(kind, payload, cost, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Ends this side's messages; the peer reads their end once it has read them all. A second call does nothing.</summary>
    public async ValueTask CompleteWritesAsync(CancellationToken cancellationToken = default)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_gate)
            {
                if (_localEnded || _closed)
                    return;
                _localEnded = true;
            }
            _connection.Enqueue(new OutgoingFrame(FrameType.End, Id, default));
        }
        finally
        {
            _writing.Release();
        }
        ForgetIfEnded();
    }

    internal void OnCredit(uint credit)
    {
        TaskCompletionSource? waiter;
        lock (_gate)
        {
            if (credit == 0)
                throw new ProtocolException(ProtocolCode.InvalidFrame, $"A credit of nothing for stream {Id}.");
            if (credit > ProtocolLimits.MaxCredit - _sendCredit)
                throw new ProtocolException(ProtocolCode.FlowControl, $"Stream {Id} was given more credit than {ProtocolLimits.MaxCredit}.");
            _sendCredit += (int)credit;
            waiter = _creditArrived;
            _creditArrived = null;
        }
        waiter?.TrySetResult();
    }

    private async ValueTask TakeSendCreditAsync(int cost, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task wait;
            lock (_gate)
            {
                if (_sendError is not null)
                    throw new MuxStreamException(_sendError.Code, _sendError.Message);
                if (_localEnded)
                    throw new InvalidOperationException("The messages of this side were ended.");
                if (_sendCredit >= cost)
                {
                    _sendCredit -= cost;
                    return;
                }
                wait = (_creditArrived ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
            await wait.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask SendAsync(byte kind, ReadOnlyMemory<byte> payload, int cost, CancellationToken cancellationToken)
    {
        var frame = OutgoingFrame.Message(Id, kind, payload);
        _connection.Enqueue(frame);
        try
        {
            await frame.Written.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            if (frame.TryWithdraw())
            {
                lock (_gate)
                    _sendCredit += cost;
                throw;
            }
            // Too late to take it back; copying does not wait for anything.
            await frame.Written.ConfigureAwait(false);
        }
    }

    private void FailWriters(MuxStreamException error)
    {
        TaskCompletionSource? waiter;
        lock (_gate)
        {
            _sendError ??= error;
            waiter = _creditArrived;
            _creditArrived = null;
        }
        waiter?.TrySetResult();
    }
}
