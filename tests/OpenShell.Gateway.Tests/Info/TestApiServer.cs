using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using OpenShell.Tests;

namespace OpenShell.Gateway.Tests.Info;

/// <summary>As much of an API server as the gateway needs, over real TLS, and the folder of a service account that may use it.</summary>
internal sealed class TestApiServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("openshell-account-");
    private readonly WebApplication _app;

    private TestApiServer(TestPki pki, WebApplication app)
    {
        _app = app;
        File.WriteAllText(Path.Combine(_folder.FullName, "ca.crt"), pki.CaPem);
        File.WriteAllText(Path.Combine(_folder.FullName, "token"), "secret-token\n");
        _app.Run(context =>
        {
            if (context.Request.Headers.Authorization != "Bearer secret-token")
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                return Task.CompletedTask;
            }
            return context.Request.Path == "/version" ? context.Response.WriteAsync(Answer) : Task.CompletedTask;
        });
    }

    public string Answer { get; set; } = """{"major":"1","minor":"20","gitVersion":"v1.20.2","platform":"linux/amd64"}""";

    public string ServiceAccount => _folder.FullName;

    public Uri Uri => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    public static async Task<TestApiServer> StartAsync(TestPki pki)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(pki.Server())));
        var server = new TestApiServer(pki, builder.Build());
        await server._app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
