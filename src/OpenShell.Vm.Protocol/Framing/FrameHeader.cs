using System.Buffers.Binary;

namespace OpenShell.Vm.Protocol.Framing;

/// <summary>The 28 bytes in front of every payload; all numbers little-endian. PROTOCOL.md draws it.</summary>
/// <param name="Epoch">The session; 0 in the handshake.</param>
/// <param name="Type">What the frame is.</param>
/// <param name="Kind">In MESSAGE the service's own type of message, else 0.</param>
/// <param name="Stream">The stream, 0 where the frame belongs to the whole connection.</param>
/// <param name="Length">Bytes of payload that follow.</param>
/// <param name="PayloadChecksum">CRC-32C of the payload.</param>
public readonly record struct FrameHeader(uint Epoch, FrameType Type, byte Kind, uint Stream, int Length, uint PayloadChecksum)
{
    /// <summary>"OSV1": the first four bytes of every frame.</summary>
    public static ReadOnlySpan<byte> Magic => "OSV1"u8;

    /// <summary>Writes the header into the first <see cref="ProtocolLimits.HeaderSize"/> bytes.</summary>
    public void Write(Span<byte> destination)
    {
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], Epoch);
        destination[8] = (byte)Type;
        destination[9] = Kind;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[10..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], Stream);
        BinaryPrimitives.WriteInt32LittleEndian(destination[16..], Length);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[20..], PayloadChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[24..], Crc32C.Compute(destination[..24]));
    }

    /// <summary>
    /// Reads a header. <see langword="false"/>: no frame starts here, by the magic number, the reserved bytes or the checksum.
    /// The length is not judged here, and is negative when it exceeds 2^31.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out FrameHeader header)
    {
        header = default;
        if (!source.StartsWith(Magic)
            || BinaryPrimitives.ReadUInt16LittleEndian(source[10..]) != 0
            || BinaryPrimitives.ReadUInt32LittleEndian(source[24..]) != Crc32C.Compute(source[..24]))
        {
            return false;
        }
        header = new FrameHeader(
            BinaryPrimitives.ReadUInt32LittleEndian(source[4..]),
            (FrameType)source[8],
            source[9],
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[20..]));
        return true;
    }

    /// <summary>Whether the length is one that a frame of this type can have.</summary>
    public bool HasValidLength => Length >= 0 && Length <= MaxLength(Type);

    private static int MaxLength(FrameType type) => type switch
    {
        FrameType.Hello or FrameType.Refuse => ProtocolLimits.MaxHelloPayload,
        FrameType.Ready or FrameType.Knock or FrameType.End => 0,
        FrameType.Credit => 4,
        FrameType.Ping or FrameType.Pong => 8,
        FrameType.Reset or FrameType.GoAway => 4 + ProtocolLimits.MaxErrorText,
        _ => ProtocolLimits.MaxPayload,
    };
}
