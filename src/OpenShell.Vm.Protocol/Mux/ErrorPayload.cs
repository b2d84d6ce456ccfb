using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace OpenShell.Vm.Protocol.Mux;

/// <summary>The payload of RESET and GOAWAY: u32 code, text in UTF-8.</summary>
internal static class ErrorPayload
{
    public static byte[] Encode(ProtocolCode code, string text)
    {
        // A text of ours that is too long loses its end, at a character's boundary; one received that is too long is an error.
        var bytes = new byte[4 + ProtocolLimits.MaxErrorText];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)code);
        Encoder encoder = Encoding.UTF8.GetEncoder();
        encoder.Convert(text, bytes.AsSpan(4), flush: true, out _, out var used, out _);
        return bytes[..(4 + used)];
    }

    /// <exception cref="ProtocolException">There is no code.</exception>
    public static (ProtocolCode Code, string Text) Decode(in ReadOnlySequence<byte> payload)
    {
        if (payload.Length < 4)
            throw new ProtocolException(ProtocolCode.InvalidFrame, "RESET or GOAWAY without a code.");
        Span<byte> code = stackalloc byte[4];
        payload.Slice(0, 4).CopyTo(code);
        var known = (ProtocolCode)BinaryPrimitives.ReadUInt32LittleEndian(code);
        return (Enum.IsDefined(known) ? known : ProtocolCode.Failed, Encoding.UTF8.GetString(payload.Slice(4)));
    }
}
