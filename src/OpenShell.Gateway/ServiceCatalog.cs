using OpenShell.Gateway.Grpc;
using OpenShell.Gateway.Health;
using OpenShell.Gateway.Info;

namespace OpenShell.Gateway;

/// <summary>Every service that the gateway answers: to add one, write its file and add its line.</summary>
internal static class ServiceCatalog
{
    public static IServiceCollection AddGrpcServices(this IServiceCollection services) => services
        .AddSingleton<IGrpcService, HealthService>()
        .AddSingleton<IGrpcService, GatewayInfoService>();
}
