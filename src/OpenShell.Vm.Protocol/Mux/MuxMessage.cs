using System.Buffers;

namespace OpenShell.Vm.Protocol.Mux;

/// <summary>A message as it was received. Disposing it returns its memory, and its credit to the sender: keep it while its bytes wait to go on.</summary>
public sealed class MuxMessage : IDisposable
{
    private readonly MuxStream _stream;
    private readonly int _length;
    private byte[]? _buffer;

    internal MuxMessage(MuxStream stream, byte kind, in ReadOnlySequence<byte> payload)
    {
        _stream = stream;
        _length = (int)payload.Length;
        Kind = kind;
        _buffer = ArrayPool<byte>.Shared.Rent(_length);
        payload.CopyTo(_buffer);
    }

    /// <summary>The service's own type of message, see <see cref="MessageKinds"/>.</summary>
    public byte Kind { get; }

    /// <summary>The bytes; gone after <see cref="Dispose"/>.</summary>
    public ReadOnlyMemory<byte> Payload
    {
        get
        {
            ObjectDisposedException.ThrowIf(_buffer is null, this);
            return _buffer.AsMemory(0, _length);
        }
    }

    /// <summary>What the message costs in credit.</summary>
    internal static int Cost(long length) => (int)length + ProtocolLimits.MessageOverhead;

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _buffer, null) is not { } buffer)
            return;
        ArrayPool<byte>.Shared.Return(buffer);
        _stream.ReturnCredit(Cost(_length));
    }
}
