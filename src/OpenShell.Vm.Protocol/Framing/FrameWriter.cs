using System.Buffers;

namespace OpenShell.Vm.Protocol.Framing;

/// <summary>Puts frames behind one another.</summary>
public static class FrameWriter
{
    /// <summary>Appends a frame.</summary>
    /// <exception cref="ArgumentException">The payload is too long for the type.</exception>
    public static void Write(IBufferWriter<byte> output, uint epoch, FrameType type, byte kind, uint stream, ReadOnlySpan<byte> payload)
    {
        var header = new FrameHeader(epoch, type, kind, stream, payload.Length, Crc32C.Compute(payload));
        if (!header.HasValidLength)
            throw new ArgumentException($"{payload.Length} bytes are too many for a frame of type {type}.", nameof(payload));
        var span = output.GetSpan(ProtocolLimits.HeaderSize + payload.Length);
        header.Write(span);
        payload.CopyTo(span[ProtocolLimits.HeaderSize..]);
        output.Advance(ProtocolLimits.HeaderSize + payload.Length);
    }

    /// <summary>A frame alone.</summary>
    public static byte[] ToArray(uint epoch, FrameType type, byte kind, uint stream, ReadOnlySpan<byte> payload)
    {
        var output = new ArrayBufferWriter<byte>(ProtocolLimits.HeaderSize + payload.Length);
        Write(output, epoch, type, kind, stream, payload);
        return output.WrittenSpan.ToArray();
    }
}
