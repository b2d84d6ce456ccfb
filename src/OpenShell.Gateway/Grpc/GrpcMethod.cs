using OpenShell.Gateway.Protobuf;

namespace OpenShell.Gateway.Grpc;

/// <summary>One row of a service's method table.</summary>
/// <param name="Name">As in the .proto.</param>
/// <param name="InvokeAsync">Runs one call to its end; a <see cref="GrpcException"/> is a status other than OK.</param>
internal sealed record GrpcMethod(string Name, Func<GrpcCall, Task> InvokeAsync)
{
    /// <summary>One request, one response.</summary>
    public static GrpcMethod Unary<TRequest, TResponse>(string name, Func<TRequest, GrpcCall, Task<TResponse>> handler)
        where TRequest : class, IProtoMessage<TRequest>
        where TResponse : class, IProtoMessage<TResponse>
        => new(name, async call =>
        {
            var request = await call.ReadOnlyAsync<TRequest>().ConfigureAwait(false);
            await call.WriteAsync(await handler(request, call).ConfigureAwait(false)).ConfigureAwait(false);
        });

    /// <summary>One request, responses until the method ends.</summary>
    public static GrpcMethod ServerStreaming<TRequest, TResponse>(string name, Func<TRequest, GrpcCall, IAsyncEnumerable<TResponse>> handler)
        where TRequest : class, IProtoMessage<TRequest>
        where TResponse : class, IProtoMessage<TResponse>
        => new(name, async call =>
        {
            var request = await call.ReadOnlyAsync<TRequest>().ConfigureAwait(false);
            await foreach (var response in handler(request, call).ConfigureAwait(false))
                await call.WriteAsync(response).ConfigureAwait(false);
        });
}

/// <summary>A service: one file with a method table, and one line in <see cref="ServiceCatalog"/>.</summary>
internal interface IGrpcService
{
    /// <summary>Package and name as in the .proto, such as <c>openshell.v1.Gateway</c>.</summary>
    string Name { get; }

    /// <summary>Its methods.</summary>
    IReadOnlyList<GrpcMethod> Methods { get; }
}
