using System.Buffers.Binary;

namespace OpenShell.Vm.Images.Formats;

/// <summary>
/// Decodes LZ4's legacy frames, which the kernel is packed in (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md#legacy-frame,
/// https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md). .NET has no LZ4, and this is all of it that is needed.
/// </summary>
internal static class Lz4
{
    private const int MinimumMatch = 4;

    /// <summary>Whether this begins as a legacy frame does.</summary>
    public static bool IsLegacyFrame(ReadOnlySpan<byte> frame) => frame.StartsWith("\x02\x21\x4c\x18"u8);

    /// <summary>Decodes a whole frame.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or does not decode to <paramref name="size"/> bytes.</exception>
    public static byte[] DecodeLegacyFrame(ReadOnlySpan<byte> frame, int size)
    {
        var output = new byte[size];
        var written = 0;
        try
        {
            for (var rest = frame[4..]; rest.Length > 4;)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
                written = DecodeBlock(rest.Slice(4, length), output, written);
                rest = rest[(4 + length)..];
            }
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException)
        {
            throw new InvalidDataException("the LZ4 frame is damaged", e);
        }

        return written == size ? output : throw new InvalidDataException($"the LZ4 frame decodes to {written} bytes instead of {size}");
    }

    // A block is sequences: literals to copy, then a match to repeat from what was written before; the last has literals only.
    private static int DecodeBlock(ReadOnlySpan<byte> block, Span<byte> output, int written)
    {
        for (var at = 0; at < block.Length;)
        {
            var token = block[at++];
            var literals = Length(block, ref at, token >> 4);
            block.Slice(at, literals).CopyTo(output[written..]);
            at += literals;
            written += literals;
            if (at == block.Length)
                break;
            var distance = BinaryPrimitives.ReadUInt16LittleEndian(block[at..]);
            at += 2;
            var match = Length(block, ref at, token & 15) + MinimumMatch;
            if (distance == 0 || distance > written)
                throw new InvalidDataException("an LZ4 match points before the beginning");

            // A match may overlap what it writes: then it repeats, so it is copied in pieces no longer than the distance.
            for (int copied; match > 0; match -= copied, written += copied)
            {
                copied = Math.Min(match, distance);
                output.Slice(written - distance, copied).CopyTo(output[written..]);
            }
        }

        return written;
    }

    private static int Length(ReadOnlySpan<byte> block, ref int at, int start)
    {
        if (start < 15)
            return start;
        byte more;
        do
        {
            more = block[at++];
            start += more;
        }
        while (more == 255);
        return start;
    }
}
