using System.Buffers;
using System.Threading.Channels;

namespace OpenShell.Vm.Protocol.Mux;

public sealed partial class MuxConnection
{
    private readonly Channel<OutgoingFrame> _queue = Channel.CreateUnbounded<OutgoingFrame>(new() { SingleReader = true });
    private int _queuedControl;

    /// <summary>Puts a frame at the end of the queue. When the session is over, whoever waits for it learns it.</summary>
    internal void Enqueue(OutgoingFrame frame)
    {
        if (frame.IsControl && Interlocked.Increment(ref _queuedControl) > ProtocolLimits.MaxQueuedControlFrames)
        {
            Finish(new ConnectionEnd(ProtocolCode.Flood, "Too many frames wait for the other side to read.", ByPeer: false));
            return;
        }
        if (!_queue.Writer.TryWrite(frame))
            frame.Abandon(Lost());
    }

    private async Task WriteLoopAsync()
    {
        var batch = new ArrayBufferWriter<byte>(ProtocolLimits.WriteBatch);
        try
        {
            while (await _queue.Reader.WaitToReadAsync(_stopWriting.Token).ConfigureAwait(false))
            {
                while (batch.WrittenCount < ProtocolLimits.WriteBatch && _queue.Reader.TryRead(out var frame))
                {
                    frame.WriteTo(batch, Session.Epoch);
                    if (frame.IsControl)
                        Interlocked.Decrement(ref _queuedControl);
                }
                await _transport.Stream.WriteAsync(batch.WrittenMemory, _stopWriting.Token).ConfigureAwait(false);
                await _transport.Stream.FlushAsync(_stopWriting.Token).ConfigureAwait(false);
                batch.ResetWrittenCount();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            Finish(new ConnectionEnd(ProtocolCode.TransportClosed, e.Message, ByPeer: false));
        }
        while (_queue.Reader.TryRead(out var frame))
            frame.Abandon(Lost());
    }

    private MuxStreamException Lost() => _end is { } end
        ? new(end.Code == ProtocolCode.Done ? ProtocolCode.TransportClosed : end.Code, end.Text)
        : new(ProtocolCode.TransportClosed, "The connection is closing.");
}
