using OpenShell.Gateway.Grpc;

namespace OpenShell.Gateway.Health;

/// <summary><c>grpc.health.v1.Health</c> (https://github.com/grpc/grpc/blob/master/doc/health-checking.md).</summary>
internal sealed class HealthService : IGrpcService
{
    private readonly HealthBoard _board;

    public HealthService(HealthBoard board)
    {
        _board = board;
        Methods =
        [
            GrpcMethod.Unary<HealthCheckRequest, HealthCheckResponse>("Check", CheckAsync),
            GrpcMethod.ServerStreaming<HealthCheckRequest, HealthCheckResponse>("Watch", WatchAsync),
        ];
    }

    public string Name => "grpc.health.v1.Health";

    public IReadOnlyList<GrpcMethod> Methods { get; }

    private Task<HealthCheckResponse> CheckAsync(HealthCheckRequest request, GrpcCall call) =>
        _board.Find(request.Service) is { } status
            ? Task.FromResult(new HealthCheckResponse(status))
            : throw new GrpcException(GrpcStatusCode.NotFound, $"There is no service '{request.Service}'.");

    private async IAsyncEnumerable<HealthCheckResponse> WatchAsync(HealthCheckRequest request, GrpcCall call)
    {
        await foreach (var status in _board.WatchAsync(request.Service, call.CancellationToken).ConfigureAwait(false))
            yield return new HealthCheckResponse(status);

        // The specification lets a watch end only with the server; UNAVAILABLE tells clients to come back, elsewhere or later.
        throw new GrpcException(GrpcStatusCode.Unavailable, "The gateway is shutting down.");
    }
}
