using System.Buffers;
using OpenShell.Vm.Protocol.Framing;

namespace OpenShell.Vm.Protocol.Tests.Support;

/// <summary>Offers bytes to a reader as they come, keeping what it did not consume, as a pipe does.</summary>
internal sealed class Feed(FrameReader reader)
{
    private byte[] _pending = new byte[4096];

    public FrameReader Reader => reader;

    public List<FrameType> Types { get; } = [];

    public List<byte[]> Payloads { get; } = [];

    /// <summary>Bytes that wait for more.</summary>
    public int Left { get; private set; }

    public void Offer(ReadOnlySpan<byte> bytes)
    {
        if (Left + bytes.Length > _pending.Length)
            Array.Resize(ref _pending, 2 * (Left + bytes.Length));
        bytes.CopyTo(_pending.AsSpan(Left));
        var buffer = new ReadOnlySequence<byte>(_pending, 0, Left + bytes.Length);
        try
        {
            while (reader.TryRead(ref buffer, out var frame))
            {
                Types.Add(frame.Header.Type);
                Payloads.Add(frame.Payload.ToArray());
            }
        }
        finally
        {
            buffer.FirstSpan.CopyTo(_pending);
            Left = buffer.FirstSpan.Length;
        }
    }
}
