using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;

namespace OpenShell.Tests.Fuzzing;

/// <summary>What is done to a valid session.</summary>
internal enum MutationKind
{
    /// <summary>A frame ends in its middle; the next follows at once.</summary>
    Cut,

    /// <summary>A bit is another, and no checksum fits.</summary>
    Flip,

    /// <summary>Bytes of the payload are others, and the checksums fit.</summary>
    Payload,

    /// <summary>The payload has another length, up to the longest, and the checksums fit.</summary>
    Resize,

    /// <summary>The header promises more than is allowed, and its checksum fits.</summary>
    Oversize,

    /// <summary>Another type.</summary>
    Type,

    /// <summary>Another kind.</summary>
    Kind,

    /// <summary>Another stream.</summary>
    Stream,

    /// <summary>Another epoch.</summary>
    Epoch,

    /// <summary>A frame comes again, and again.</summary>
    Repeat,

    /// <summary>A frame does not come.</summary>
    Drop,

    /// <summary>Two frames change places.</summary>
    Swap,

    /// <summary>Bytes that are no frame.</summary>
    Garbage,

    /// <summary>A frame of the handshake, in the middle of a session.</summary>
    Handshake,

    /// <summary>A number at its limits, and beyond.</summary>
    Number,

    /// <summary>A value of its JSON is another, such as nobody expects; a line of its text.</summary>
    Value,

    /// <summary>Nothing more comes.</summary>
    End,
}

/// <summary>One change.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="At">To which frame, by a number that is taken modulo their count.</param>
/// <param name="Seed">How exactly: the same number does the same.</param>
internal sealed record Mutation(MutationKind Kind, int At, int Seed)
{
    private static readonly uint[] Limits = [0, 1, 2, 3, 255, ProtocolLimits.StreamWindow, ProtocolLimits.MaxCredit - 1, ProtocolLimits.MaxCredit, ProtocolLimits.MaxCredit + 1, int.MaxValue, 0x80000000, uint.MaxValue];

    /// <summary>A session in bytes, changed.</summary>
    public static byte[] Apply(IReadOnlyList<RecordedFrame> session, IReadOnlyList<Mutation> mutations, uint epoch)
    {
        var frames = session.Select(f => new[] { f.ToBytes(epoch) }.ToList()).ToList();
        var end = frames.Count;
        foreach (var mutation in mutations)
        {
            var at = mutation.At % session.Count;
            if (mutation.Kind == MutationKind.End)
                end = Math.Min(end, at);
            else if (mutation.Kind == MutationKind.Swap && new Random(mutation.Seed).Next(session.Count) is var other)
                (frames[at], frames[other]) = (frames[other], frames[at]);
            else
                frames[at] = mutation.Change(session[at], frames[at], epoch);
        }

        var pieces = frames.Take(end).SelectMany(f => f).ToList();
        var bytes = new byte[pieces.Sum(p => p.Length)];
        var position = 0;
        foreach (var piece in pieces)
        {
            piece.CopyTo(bytes, position);
            position += piece.Length;
        }

        return bytes;
    }

    /// <summary>What goes over the wire in place of a frame; of <see cref="MutationKind.Swap"/> and <see cref="MutationKind.End"/>, which concern others, nothing is done here.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="now">What goes over the wire by changes of before.</param>
    /// <param name="epoch">Of the session.</param>
    public List<byte[]> Change(RecordedFrame frame, List<byte[]> now, uint epoch)
    {
        var random = new Random(Seed);
        var bytes = frame.ToBytes(epoch);
        switch (Kind)
        {
            case MutationKind.Cut:
                return [bytes[..random.Next(bytes.Length)]];
            case MutationKind.Flip:
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
                return [bytes];
            case MutationKind.Payload:
                return [(frame with { Payload = Changed(random, frame.Payload) }).ToBytes(epoch)];
            case MutationKind.Resize:
                return [Raw(epoch, frame.Type, frame.Kind, frame.Stream, Random(random, random.Next(4) == 0 ? ProtocolLimits.MaxPayload : random.Next(64)))];
            case MutationKind.Oversize:
                return [Promise(epoch, frame, random.Next(2) == 0 ? ProtocolLimits.MaxPayload + 1 + random.Next(1 << 20) : random.Next(int.MinValue, 0))];
            case MutationKind.Type:
                return [Raw(epoch, (FrameType)(random.Next(3) == 0 ? random.Next(256) : 16 + random.Next(9)), frame.Kind, frame.Stream, frame.Payload)];
            case MutationKind.Kind:
                return [Raw(epoch, frame.Type, (byte)random.Next(256), frame.Stream, frame.Payload)];
            case MutationKind.Stream:
                return [Raw(epoch, frame.Type, frame.Kind, random.Next(3) == 0 ? Limits[random.Next(Limits.Length)] : (uint)random.Next(16), frame.Payload)];
            case MutationKind.Epoch:
                return [Raw(random.Next(2) == 0 ? 0 : (uint)random.Next(), frame.Type, frame.Kind, frame.Stream, frame.Payload)];
            case MutationKind.Repeat:
                return [.. Enumerable.Repeat(now, 2 + random.Next(8)).SelectMany(f => f)];
            case MutationKind.Drop:
                return [];
            case MutationKind.Garbage:
                return [.. now, Random(random, random.Next(200))];
            case MutationKind.Handshake:
                return [Raw(0, (FrameType)(1 + random.Next(6)), 0, 0, random.Next(2) == 0 ? [] : Random(random, random.Next(300))), .. now];
            case MutationKind.Number:
                return [Raw(epoch, FrameType.Credit, 0, random.Next(2) == 0 ? frame.Stream : (uint)random.Next(12), BitConverter.GetBytes(Limits[random.Next(Limits.Length)])), .. now];
            case MutationKind.Value:
                return [Raw(epoch, frame.Type, frame.Kind, frame.Stream, HostileValue.In(frame, random))];
            default:
                return now;
        }
    }

    private static byte[] Changed(Random random, byte[] payload)
    {
        var changed = payload.ToList();
        for (var i = 1 + random.Next(4); i > 0; i--)
        {
            var position = random.Next(changed.Count + 1);
            if (random.Next(3) == 0 || changed.Count == 0)
                changed.InsertRange(position, Random(random, random.Next(12)));
            else if (random.Next(2) == 0)
                changed.RemoveRange(Math.Min(position, changed.Count - 1), Math.Min(1 + random.Next(6), changed.Count - Math.Min(position, changed.Count - 1)));
            else
                changed[Math.Min(position, changed.Count - 1)] = (byte)random.Next(256);
        }

        return [.. changed.Take(payload.Length > 8 ? ProtocolLimits.MaxPayload : payload.Length)];
    }

    private static byte[] Random(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>A frame whose checksums fit, whether or not such a frame may be.</summary>
    private static byte[] Raw(uint epoch, FrameType type, byte kind, uint stream, byte[] payload)
    {
        var bytes = new byte[ProtocolLimits.HeaderSize + payload.Length];
        payload.CopyTo(bytes, ProtocolLimits.HeaderSize);

        // The checksum of the payload, of a frame that may have any.
        var checksum = BitConverter.ToUInt32(FrameWriter.ToArray(epoch, FrameType.Message, 0, 0, payload), 20);
        new FrameHeader(epoch, type, kind, stream, payload.Length, checksum).Write(bytes);
        return bytes;
    }

    private static byte[] Promise(uint epoch, RecordedFrame frame, int length)
    {
        var bytes = frame.ToBytes(epoch);
        new FrameHeader(epoch, frame.Type, frame.Kind, frame.Stream, length, BitConverter.ToUInt32(bytes, 20)).Write(bytes);
        return bytes;
    }
}
