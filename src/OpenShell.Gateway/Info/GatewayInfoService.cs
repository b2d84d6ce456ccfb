using System.Reflection;
using OpenShell.Gateway.Grpc;
using OpenShell.Gateway.Protobuf;

namespace OpenShell.Gateway.Info;

/// <summary><c>openshell.v1.Gateway</c>.</summary>
internal sealed class GatewayInfoService : IGrpcService
{
    private readonly ClusterVersion _cluster;
    private readonly GetInfoResponse _self;

    public GatewayInfoService(GatewaySettings settings, ClusterVersion cluster, TimeProvider time)
    {
        _cluster = cluster;
        _self = new GetInfoResponse { Version = Version, StartTime = Timestamp.From(time.GetUtcNow()), Node = settings.Node };
        Methods = [GrpcMethod.Unary<GetInfoRequest, GetInfoResponse>("GetInfo", GetInfoAsync)];
    }

    /// <summary>This program's version, without the commit behind the plus sign.</summary>
    public static string Version { get; } =
        typeof(GatewayInfoService).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public string Name => "openshell.v1.Gateway";

    public IReadOnlyList<GrpcMethod> Methods { get; }

    private async Task<GetInfoResponse> GetInfoAsync(GetInfoRequest request, GrpcCall call) =>
        _self with { Cluster = await _cluster.GetAsync(call.CancellationToken).ConfigureAwait(false) };
}
