using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using OpenShell.Gateway.Grpc;
using OpenShell.Gateway.Health;
using OpenShell.Gateway.Info;
using OpenShell.Gateway.Probes;
using OpenShell.Gateway.Tls;

namespace OpenShell.Gateway;

/// <summary>Puts the gateway together.</summary>
internal static class GatewayHost
{
    // Shorter than the pod's terminationGracePeriodSeconds, so that what is left is ended by the gateway and not by SIGKILL.
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(5);

    /// <summary>A gateway that is ready to run.</summary>
    /// <exception cref="TlsMaterialException">The TLS files cannot be used.</exception>
    public static WebApplication Create(GatewaySettings settings)
    {
        // The empty builder: nothing is read from files or variables but what GatewaySettings names.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
        });
        builder.Logging
            .SetMinimumLevel(LogLevel.Information)
            .AddFilter("Microsoft", LogLevel.Warning)
            // A failed start is told by the program itself, in one sentence.
            .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.Services
            .AddSingleton(settings)
            .AddSingleton(TimeProvider.System)
            .AddSingleton<HealthBoard>()
            .AddSingleton<IClusterApi, ClusterApi>()
            .AddSingleton<ClusterVersion>()
            .AddSingleton<TlsReloader>()
            .AddSingleton<AdmittedConnections>()
            .AddSingleton<MutualTls>()
            .AddSingleton<GrpcServer>()
            .AddSingleton<ProbeEndpoint>()
            .AddGrpcServices()
            .AddHostedService(services => services.GetRequiredService<TlsReloader>())
            .Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, settings));

        var app = builder.Build();
        var grpc = app.Services.GetRequiredService<GrpcServer>();
        var probes = app.Services.GetRequiredService<ProbeEndpoint>();
        // Whoever has shown a certificate gets gRPC, nobody else ever does.
        app.Run(context => context.Connection.ClientCertificate is { } client ? grpc.HandleAsync(context, client) : probes.HandleAsync(context));
        ReportHealth(app);
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, GatewaySettings settings)
    {
        kestrel.AddServerHeader = false;
        // Streams are as long as they like, and idle as long as they like: messages are limited one by one (GrpcLimits).
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        // So that a watcher whose machine is gone does not stay for ever.
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);

        var tls = kestrel.ApplicationServices.GetRequiredService<MutualTls>();
        Bind(settings.Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = context => ValueTask.FromResult(tls.ForConnection(context.Connection)) });
        });
        Bind(settings.ProbePort, listen => listen.Protocols = HttpProtocols.Http1);

        void Bind(int port, Action<ListenOptions> configure)
        {
            if (settings.Address is { } address)
                kestrel.Listen(address, port, configure);
            else
                kestrel.ListenAnyIP(port, configure);
        }
    }

    // Serving from when the ports are open until the first sign of the end.
    private static void ReportHealth(WebApplication app)
    {
        var board = app.Services.GetRequiredService<HealthBoard>();
        string[] services = ["", .. app.Services.GetServices<IGrpcService>().Select(service => service.Name)];
        foreach (var service in services)
            board.Set(service, ServingStatus.NotServing);
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            foreach (var service in services)
                board.Set(service, ServingStatus.Serving);
        });
        app.Lifetime.ApplicationStopping.Register(board.Close);
    }
}
