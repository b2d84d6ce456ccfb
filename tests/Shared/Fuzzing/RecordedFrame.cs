using System.Buffers;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;

namespace OpenShell.Tests.Fuzzing;

/// <summary>A frame of a session that really took place, without its epoch: that is each session's own.</summary>
internal sealed record RecordedFrame(FrameType Type, byte Kind, uint Stream, byte[] Payload)
{
    /// <summary>For a table of what was reached: <c>Message 0x12</c>.</summary>
    public string Label => Type == FrameType.Message ? $"Message 0x{Kind:x2}" : $"{Type}";

    /// <summary>The state in which a frame of a session comes, by what has come before it.</summary>
    public static string StateAt(IReadOnlyList<RecordedFrame> session, int at) => at == 0 ? "the handshake" : session[at - 1].Label;

    /// <summary>The frames of a session in bytes that were recorded; those of the handshake, and padding, are left out.</summary>
    public static IReadOnlyList<RecordedFrame> Read(byte[] bytes)
    {
        var frames = new List<RecordedFrame>();
        var buffer = new ReadOnlySequence<byte>(bytes);
        var reader = new FrameReader();
        while (!buffer.IsEmpty)
        {
            try
            {
                if (!reader.TryRead(ref buffer, out var frame))
                    break;
                if ((byte)frame.Header.Type >= 16)
                    frames.Add(new RecordedFrame(frame.Header.Type, frame.Header.Kind, frame.Header.Stream, frame.Payload.ToArray()));
            }
            catch (ProtocolException)
            {
                // Padding of a handshake: the reader goes on behind the byte.
            }
        }

        return frames;
    }

    /// <summary>As it goes over the wire.</summary>
    public byte[] ToBytes(uint epoch) => FrameWriter.ToArray(epoch, Type, Kind, Stream, Payload);
}
