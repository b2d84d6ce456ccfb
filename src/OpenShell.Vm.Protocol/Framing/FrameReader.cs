using System.Buffers;

namespace OpenShell.Vm.Protocol.Framing;

/// <summary>
/// Takes frames off the front of a buffer: a state machine without any I/O. It keeps nothing of the bytes; what is not consumed must be
/// offered again with more behind it, never more than one frame of the largest size.
/// </summary>
/// <remarks>
/// It is in one of two states. <em>Locked</em>, as a session reads: the next byte must start a frame, all else is an error.
/// <em>Hunting</em>, as a handshake reads: only some types count, and bytes that start none of them are skipped one by one: the rest of a
/// frame that was cut, frames of an earlier session, padding, garbage. What lies inside a damaged frame is scanned too.
/// </remarks>
public sealed class FrameReader
{
    // One bit per type of the handshake; 0: locked.
    private uint _hunted;

    /// <summary>Whether the next byte must start a frame. So it is at first.</summary>
    public bool IsLocked => _hunted == 0;

    /// <summary>Bytes skipped so far since they belonged to no frame.</summary>
    public long Skipped { get; private set; }

    /// <summary>From now on, every byte counts.</summary>
    public void Lock() => _hunted = 0;

    /// <summary>From now on, skip whatever is not a frame of one of these types (of the handshake).</summary>
    public void HuntFor(params ReadOnlySpan<FrameType> types)
    {
        _hunted = 0;
        foreach (var type in types)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((byte)type, 16, nameof(types));
            _hunted |= 1u << (byte)type;
        }
    }

    /// <summary>Takes the next frame; <see langword="false"/> when there is none yet. What was consumed is cut off <paramref name="buffer"/>.</summary>
    /// <exception cref="ProtocolException">Only when locked; <paramref name="buffer"/> then starts behind the offending byte, so that hunting can go on from there.</exception>
    public bool TryRead(ref ReadOnlySequence<byte> buffer, out Frame frame)
    {
        Span<byte> bytes = stackalloc byte[ProtocolLimits.HeaderSize];
        while (Align(ref buffer))
        {
            if (buffer.Length < ProtocolLimits.HeaderSize)
                break;
            buffer.Slice(0, ProtocolLimits.HeaderSize).CopyTo(bytes);
            if (!FrameHeader.TryRead(bytes, out var header) || !IsWanted(header))
            {
                Reject(ref buffer, ProtocolCode.LostSync, "No frame starts where one should.");
                continue;
            }
            if (!header.HasValidLength)
            {
                Reject(ref buffer, ProtocolCode.FrameTooLarge, $"A frame of type {(byte)header.Type} with {(uint)header.Length} bytes is too long.");
                continue;
            }
            if (buffer.Length < ProtocolLimits.HeaderSize + header.Length)
                break;
            var payload = buffer.Slice(ProtocolLimits.HeaderSize, header.Length);
            if (Crc32C.Compute(payload) == header.PayloadChecksum)
            {
                frame = new Frame(header, payload);
                buffer = buffer.Slice(payload.End);
                return true;
            }
            Reject(ref buffer, ProtocolCode.LostSync, "The payload of a frame was damaged.");
        }
        frame = default;
        return false;
    }

    private bool IsWanted(FrameHeader header) =>
        IsLocked || ((byte)header.Type < 16 && (_hunted & (1u << (byte)header.Type)) != 0 && header.Kind == 0 && header.Stream == 0);

    /// <summary>Gives up when locked; else skips the byte that promised a frame.</summary>
    private void Reject(ref ReadOnlySequence<byte> buffer, ProtocolCode code, string message)
    {
        Skip(ref buffer, 1);
        if (IsLocked)
            throw new ProtocolException(code, message);
    }

    /// <summary>Brings the buffer's start to where a frame may start: there it must be already when locked. <see langword="false"/> when nothing is left.</summary>
    private bool Align(ref ReadOnlySequence<byte> buffer)
    {
        while (!buffer.IsEmpty && !StartsLikeFrame(buffer))
        {
            // Said as soon as it is known: a peer that speaks another protocol may never send as much as a header.
            if (IsLocked)
                Reject(ref buffer, ProtocolCode.LostSync, "No frame starts where one should.");
            var rest = buffer.Slice(1);
            var next = rest.PositionOf(FrameHeader.Magic[0]) is { } position ? rest.Slice(position) : rest.Slice(rest.End);
            Skip(ref buffer, buffer.Length - next.Length);
        }
        return !buffer.IsEmpty;
    }

    private void Skip(ref ReadOnlySequence<byte> buffer, long count)
    {
        buffer = buffer.Slice(count);
        Skipped += count;
    }

    private static bool StartsLikeFrame(in ReadOnlySequence<byte> buffer)
    {
        var magic = FrameHeader.Magic;
        Span<byte> start = stackalloc byte[magic.Length];
        var length = (int)Math.Min(buffer.Length, start.Length);
        buffer.Slice(0, length).CopyTo(start);
        return start[..length].SequenceEqual(magic[..length]);
    }
}
