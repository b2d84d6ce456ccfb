using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;

namespace OpenShell.Gateway.Grpc;

/// <summary>
/// Takes length-prefixed messages from a request: one byte "compressed", four bytes length (big-endian), the message
/// (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests). They have nothing to do with the borders of HTTP/2 frames.
/// </summary>
internal sealed class MessageReader(PipeReader pipe, string? encoding)
{
    private const int Prefix = 5;

    /// <summary>The next message; <see langword="null"/> at the end of the stream.</summary>
    /// <exception cref="GrpcException">The message is too long, compressed, or cut off.</exception>
    public async ValueTask<byte[]?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
            var buffer = read.Buffer;
            if (Take(ref buffer, out var message))
            {
                pipe.AdvanceTo(buffer.Start);
                return message;
            }
            pipe.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCanceled)
                throw new OperationCanceledException(cancellationToken);
            if (read.IsCompleted)
                return buffer.IsEmpty ? null : throw new GrpcException(GrpcStatusCode.Internal, "The request ended in the middle of a message.");
        }
    }

    // Refuses by the prefix alone: a message that will not be accepted is never collected.
    private bool Take(ref ReadOnlySequence<byte> buffer, out byte[] message)
    {
        message = [];
        if (buffer.Length < Prefix)
            return false;
        Span<byte> prefix = stackalloc byte[Prefix];
        buffer.Slice(0, Prefix).CopyTo(prefix);
        Accept(prefix[0]);
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (length > GrpcLimits.MaxMessage)
            throw new GrpcException(GrpcStatusCode.ResourceExhausted, $"A message of {length} bytes is over the limit of {GrpcLimits.MaxMessage} bytes.");
        if (buffer.Length < Prefix + length)
            return false;
        message = buffer.Slice(Prefix, length).ToArray();
        buffer = buffer.Slice(Prefix + length);
        return true;
    }

    // https://github.com/grpc/grpc/blob/master/doc/compression.md: an encoding that is not known is UNIMPLEMENTED, a flag without one INTERNAL.
    private void Accept(byte compressed)
    {
        if (compressed == 0)
            return;
        if (compressed == 1 && encoding is not (null or "" or "identity"))
            throw new GrpcException(GrpcStatusCode.Unimplemented, $"The message encoding '{encoding}' is not supported; this server accepts 'identity' only.");
        throw new GrpcException(GrpcStatusCode.Internal, "The request's Compressed-Flag does not go with its grpc-encoding header.");
    }
}
