using System.Buffers;
using OpenShell.Vm.Protocol.Framing;

namespace OpenShell.Vm.Protocol.Tests.Support;

/// <summary>Offers bytes to a reader as they come, keeping what it did not consume, as a pipe does.</summary>
internal sealed class Feed(FrameReader reader)
{
    private byte[] _pending = [];

    public FrameReader Reader => reader;

    public List<FrameType> Types { get; } = [];

    public List<byte[]> Payloads { get; } = [];

    /// <summary>Bytes that wait for more.</summary>
    public int Left => _pending.Length;

    public void Offer(ReadOnlySpan<byte> bytes)
    {
        var buffer = new ReadOnlySequence<byte>((byte[])[.. _pending, .. bytes]);
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
            _pending = buffer.ToArray();
        }
    }
}
