using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Security.Cryptography.X509Certificates;
using OpenShell.Gateway.Protobuf;

namespace OpenShell.Gateway.Grpc;

/// <summary>One call in progress, as a method sees it. Used by one method at a time.</summary>
internal sealed class GrpcCall
{
    private const int Prefix = 5;

    private readonly MessageReader _requests;
    private readonly PipeWriter _responses;

    public GrpcCall(HttpContext context, X509Certificate2 client, CancellationToken cancellationToken)
    {
        _requests = new MessageReader(context.Request.BodyReader, context.Request.Headers["grpc-encoding"]);
        _responses = context.Response.BodyWriter;
        Client = client;
        CancellationToken = cancellationToken;
    }

    /// <summary>The certificate by which the client was let in.</summary>
    public X509Certificate2 Client { get; }

    /// <summary>Fires when the client gave up or is gone, or its deadline has passed. A method ends soon after.</summary>
    public CancellationToken CancellationToken { get; }

    /// <summary>Whether a message has gone out: the status then follows it in trailers.</summary>
    public bool HasWritten { get; private set; }

    /// <summary>The next request; <see langword="null"/> when the client has sent its last.</summary>
    public async ValueTask<T?> ReadAsync<T>()
        where T : class, IProtoMessage<T>
    {
        if (await _requests.ReadAsync(CancellationToken).ConfigureAwait(false) is not { } message)
            return null;
        try
        {
            var reader = new ProtoReader(message);
            return T.Read(ref reader);
        }
        catch (InvalidDataException malformed)
        {
            throw new GrpcException(GrpcStatusCode.Internal, "The request cannot be parsed: " + malformed.Message, malformed);
        }
    }

    /// <summary>The one request of a method that takes exactly one.</summary>
    public async ValueTask<T> ReadOnlyAsync<T>()
        where T : class, IProtoMessage<T>
    {
        var request = await ReadAsync<T>().ConfigureAwait(false);
        if (request is null || await _requests.ReadAsync(CancellationToken).ConfigureAwait(false) is not null)
            throw new GrpcException(GrpcStatusCode.Unimplemented, "This method takes exactly one request.");
        return request;
    }

    /// <summary>Sends one response; completes when the connection has room for more.</summary>
    public async ValueTask WriteAsync<T>(T response)
        where T : class, IProtoMessage<T>
    {
        var writer = new ProtoWriter();
        response.Write(writer);
        HasWritten = true;
        var prefix = _responses.GetSpan(Prefix);
        prefix[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], (uint)writer.Written.Length);
        _responses.Advance(Prefix);
        _responses.Write(writer.Written);
        await _responses.FlushAsync(CancellationToken).ConfigureAwait(false);
    }
}
