using System.Buffers;
using System.Buffers.Binary;
using OpenShell.Vm.Protocol.Framing;

namespace OpenShell.Vm.Protocol.Mux;

/// <summary>A frame in the queue of a connection.</summary>
internal sealed class OutgoingFrame(FrameType type, uint stream, ReadOnlyMemory<byte> payload, byte kind = 0)
{
    private const int Queued = 0, Taken = 1, Withdrawn = 2;
    private TaskCompletionSource? _written;
    private MuxStream? _creditOf;
    private int _state = Queued;

    /// <summary>Whether the frame costs credit, or else is counted against <see cref="ProtocolLimits.MaxQueuedControlFrames"/>.</summary>
    public bool IsControl => type is not FrameType.Message;

    /// <summary>A message whose payload belongs to the caller until <see cref="Written"/> completes.</summary>
    public static OutgoingFrame Message(uint stream, byte kind, ReadOnlyMemory<byte> payload) =>
        new(FrameType.Message, stream, payload, kind) { _written = new(TaskCreationOptions.RunContinuationsAsynchronously) };

    /// <summary>Whatever credit the stream has to return at the time of writing.</summary>
    public static OutgoingFrame Credit(MuxStream stream) => new(FrameType.Credit, stream.Id, default) { _creditOf = stream };

    /// <summary>A code with a text.</summary>
    public static OutgoingFrame End(FrameType type, uint stream, ProtocolCode code, string text) => new(type, stream, ErrorPayload.Encode(code, text));

    /// <summary>Completes once the payload was copied; only for messages.</summary>
    public Task Written => _written!.Task;

    /// <summary>Takes the frame back, unless it is being written already.</summary>
    public bool TryWithdraw() => Interlocked.CompareExchange(ref _state, Withdrawn, Queued) == Queued;

    /// <summary>The connection is over: whoever waits learns it.</summary>
    public void Abandon(Exception reason) => _written?.TrySetException(reason);

    public void WriteTo(IBufferWriter<byte> output, uint epoch)
    {
        if (Interlocked.CompareExchange(ref _state, Taken, Queued) != Queued)
            return;
        if (_creditOf is null)
        {
            FrameWriter.Write(output, epoch, type, kind, stream, payload.Span);
        }
        else if (_creditOf.TakeCredit() is > 0 and var credit)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, credit);
            FrameWriter.Write(output, epoch, type, 0, stream, bytes);
        }
        _written?.TrySetResult();
    }
}
