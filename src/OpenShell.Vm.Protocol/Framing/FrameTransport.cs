using System.Buffers;
using System.IO.Pipelines;

namespace OpenShell.Vm.Protocol.Framing;

/// <summary>
/// A byte stream with its place in it: what was read but not yet consumed survives from one session, or handshake, to the next.
/// Owns the stream. One reader and one writer at a time.
/// </summary>
public sealed class FrameTransport : IAsyncDisposable
{
    /// <summary>Takes over <paramref name="stream"/>.</summary>
    public FrameTransport(Stream stream)
    {
        Stream = stream;
        Input = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: ProtocolLimits.MaxPayload, minimumReadSize: 4096, leaveOpen: true));
    }

    /// <summary>How many bytes were skipped so far to find frames.</summary>
    public long Skipped => Reader.Skipped;

    internal FrameReader Reader { get; } = new();

    internal PipeReader Input { get; }

    internal Stream Stream { get; }

    /// <summary>Reads one frame and copies its payload: for handshakes.</summary>
    /// <exception cref="EndOfStreamException">The stream has ended.</exception>
    internal async Task<ReceivedFrame> ReceiveAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await Input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var buffer = result.Buffer;
            ReceivedFrame? received = null;
            try
            {
                if (Reader.TryRead(ref buffer, out var frame))
                    received = new ReceivedFrame(frame.Header, frame.Payload.ToArray());
            }
            finally
            {
                // After a frame the rest was not looked at yet, and must be offered again at once.
                Input.AdvanceTo(buffer.Start, received is null ? buffer.End : buffer.Start);
            }
            if (received is not null)
                return received;
            if (result.IsCompleted)
                throw new EndOfStreamException("The other side has closed the connection.");
        }
    }

    internal async Task SendAsync(uint epoch, FrameType type, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        await Stream.WriteAsync(FrameWriter.ToArray(epoch, type, 0, 0, payload.Span), cancellationToken).ConfigureAwait(false);
        await Stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Input.CompleteAsync().ConfigureAwait(false);
        await Stream.DisposeAsync().ConfigureAwait(false);
    }
}

/// <summary>A frame with a payload of its own.</summary>
internal sealed record ReceivedFrame(FrameHeader Header, byte[] Payload);
