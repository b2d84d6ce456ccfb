using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>What a gateway answers behind its forwarded port, to whoever asks for its health.</summary>
internal sealed class GatewayDoor : IAsyncDisposable
{
    private readonly WebApplication _app;

    private GatewayDoor(WebApplication app) => _app = app;

    public static async Task<GatewayDoor> OpenAsync(int port, X509Certificate2 certificate)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(certificate);
        }));
        builder.WebHost.UseKestrelHttpsConfiguration();
        var app = builder.Build();
        app.Run(async context =>
        {
            context.Response.ContentType = "application/grpc";

            // HealthCheckResponse: it serves.
            await context.Response.Body.WriteAsync(new byte[] { 0, 0, 0, 0, 2, 8, 1 });
            context.Response.AppendTrailer("grpc-status", "0");
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new GatewayDoor(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
