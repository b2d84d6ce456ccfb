using System.Buffers;

namespace OpenShell.Vm.Protocol.Mux;

/// <summary>The simplest use of a stream: one request in its header, one answer of any length up to <see cref="MaxReply"/>.</summary>
public static class MuxCall
{
    /// <summary>Bytes that an answer may have.</summary>
    public const int MaxReply = 4 * 1024 * 1024;

    /// <summary>Asks and waits for the whole answer.</summary>
    /// <exception cref="MuxStreamException">The service refused or failed, or the connection is lost.</exception>
    public static async Task<byte[]> CallAsync(this MuxConnection connection, string service, ReadOnlyMemory<byte> request, CancellationToken cancellationToken = default)
    {
        await using var stream = connection.OpenStream(service, request);
        await stream.CompleteWritesAsync(cancellationToken).ConfigureAwait(false);
        var reply = new ArrayBufferWriter<byte>();
        while (await stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } message)
        {
            using (message)
            {
                if (reply.WrittenCount + message.Payload.Length > MaxReply)
                    throw new MuxStreamException(ProtocolCode.FrameTooLarge, $"The answer of '{service}' is longer than {MaxReply} bytes.");
                reply.Write(message.Payload.Span);
            }
        }
        return reply.WrittenSpan.ToArray();
    }

    /// <summary>The other end: a service that answers a request.</summary>
    public static MuxStreamHandler Handler(Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>> answer) => async (stream, cancellationToken) =>
    {
        ReadOnlyMemory<byte> reply = await answer(stream.Header, cancellationToken).ConfigureAwait(false);
        for (; reply.Length > 0; reply = reply[Math.Min(reply.Length, ProtocolLimits.MaxPayload)..])
            await stream.WriteAsync(MessageKinds.Reply, reply[..Math.Min(reply.Length, ProtocolLimits.MaxPayload)], cancellationToken).ConfigureAwait(false);
    };
}
