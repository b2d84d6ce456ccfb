using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using OpenShell.Gateway.Health;
using OpenShell.Tests;

namespace OpenShell.Gateway.Tests;

/// <summary>The whole gateway, with real Kestrel and real certificates, on free ports of the loopback.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly WebApplication _app;

    private TestGateway(DirectoryInfo folder, WebApplication app)
    {
        _folder = folder;
        _app = app;
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        Endpoint = new Uri(addresses.Single(address => address.StartsWith("https", StringComparison.Ordinal)));
        ProbeEndpoint = new Uri(addresses.Single(address => !address.StartsWith("https", StringComparison.Ordinal)));
    }

    public Uri Endpoint { get; }

    public Uri ProbeEndpoint { get; }

    public HealthBoard Health => _app.Services.GetRequiredService<HealthBoard>();

    /// <summary>Where its TLS files are.</summary>
    public string Folder => _folder.FullName;

    public static async Task<TestGateway> StartAsync(TestPki pki, Func<GatewaySettings, GatewaySettings>? change = null)
    {
        var folder = Directory.CreateTempSubdirectory("openshell-gateway-");
        using var server = pki.Server();
        WriteTls(folder.FullName, server, pki.CaPem);
        var settings = Settings(folder.FullName);
        var app = GatewayHost.Create(change is null ? settings : change(settings));
        await app.StartAsync();
        return new TestGateway(folder, app);
    }

    public static GatewaySettings Settings(string folder) => new()
    {
        Address = IPAddress.Loopback,
        Port = 0,
        ProbePort = 0,
        Certificate = Path.Combine(folder, "tls.crt"),
        Key = Path.Combine(folder, "tls.key"),
        ClientCa = Path.Combine(folder, "ca.crt"),
        Node = "test-node",
        TlsReload = TimeSpan.FromMilliseconds(50),
    };

    public static void WriteTls(string folder, System.Security.Cryptography.X509Certificates.X509Certificate2 server, string clientCaPem)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "tls.crt"), server.ExportCertificatePem());
        File.WriteAllText(Path.Combine(folder, "tls.key"), server.KeyPem());
        File.WriteAllText(Path.Combine(folder, "ca.crt"), clientCaPem);
    }

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
