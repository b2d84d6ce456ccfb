using System.Formats.Tar;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Boot.Tests.Deliveries;

/// <summary>
/// The part of a registry that pulling needs (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pull), over TLS with a certificate that a CA of the test has signed, and
/// only for those who know the password.
/// </summary>
internal sealed class TestRegistry : IAsyncDisposable
{
    /// <summary>The name in its certificate; the proxy leads there, no resolver knows it.</summary>
    public const string Host = "mirror.test";

    public const string User = "puller", Password = "pa:ss\"word";

    private readonly WebApplication _app;

    private TestRegistry(WebApplication app, string authority)
    {
        _app = app;
        Authority = authority;
    }

    /// <summary>The CA's certificate in PEM.</summary>
    public string Authority { get; }

    public int Port => new Uri(_app.Urls.Single()).Port;

    /// <summary>Starts it on loopback with one image, as <c>NAME:TAG</c> of any tag.</summary>
    public static async Task<TestRegistry> StartAsync(ContainerImage image)
    {
        var blobs = await BlobsAsync(image);
        var (server, authority) = Certificates();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(server)));
        builder.WebHost.UseKestrelHttpsConfiguration();
        var app = builder.Build();
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}"));
        app.Use(async (context, next) =>
        {
            if (context.Request.Headers.Authorization == basic)
            {
                await next();
                return;
            }

            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"test\"";
        });
        app.Map("/v2/", () => Results.Ok());
        app.Map("/v2/{name}/manifests/{reference}", (HttpContext context, string reference) =>
        {
            var digest = reference.StartsWith("sha256:", StringComparison.Ordinal) ? reference : blobs.Manifest;
            context.Response.Headers["Docker-Content-Digest"] = digest;
            return blobs.Content.TryGetValue(digest, out var manifest) ? Results.Bytes(manifest, "application/vnd.oci.image.manifest.v1+json") : Results.NotFound();
        });
        app.Map("/v2/{name}/blobs/{digest}", (string digest) => blobs.Content.TryGetValue(digest, out var blob) ? Results.Bytes(blob, "application/octet-stream") : Results.NotFound());
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new TestRegistry(app, authority);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task<(Dictionary<string, byte[]> Content, string Manifest)> BlobsAsync(ContainerImage image)
    {
        using var archive = new MemoryStream();
        await OciArchive.WriteAsync(image, archive, TestContext.Current.CancellationToken);
        archive.Position = 0;
        var content = new Dictionary<string, byte[]>();
        var manifest = "";
        using var reader = new TarReader(archive);
        while (reader.GetNextEntry() is { } entry)
        {
            using var bytes = new MemoryStream();
            entry.DataStream?.CopyTo(bytes);
            if (entry.Name.StartsWith("blobs/sha256/", StringComparison.Ordinal))
                content["sha256:" + entry.Name["blobs/sha256/".Length..]] = bytes.ToArray();
            else if (entry.Name == "index.json")
                manifest = JsonDocument.Parse(bytes.ToArray()).RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString()!;
        }

        return (content, manifest);
    }

    private static (X509Certificate2 Server, string Authority) Certificates()
    {
        var from = DateTimeOffset.UtcNow.AddDays(-1);
        using var caKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var ca = new CertificateRequest("CN=CA of a test", caKey, HashAlgorithmName.SHA256);
        ca.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = ca.CreateSelfSigned(from, from.AddDays(30));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + Host, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(Host);
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.Create(authority, from, from.AddDays(20), [1, 2, 3]);
        return (signed.CopyWithPrivateKey(key), authority.ExportCertificatePem());
    }
}
