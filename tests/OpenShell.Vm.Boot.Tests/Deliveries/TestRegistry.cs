using System.Formats.Tar;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using OpenShell.Tests.Registry;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Boot.Tests.Deliveries;

/// <summary>A registry over TLS with a certificate that a CA of the test has signed, and only for those who know the password.</summary>
internal sealed class TestRegistry : IAsyncDisposable
{
    /// <summary>The name in its certificate; the proxy leads there, no resolver knows it.</summary>
    public const string Host = "mirror.test";

    public const string User = "puller", Password = "pa:ss\"word";

    // The only image, by the names that tests pull it under.
    private static readonly string[] Repositories = ["pulled"];

    private readonly LoopbackRegistry _registry;

    private TestRegistry(LoopbackRegistry registry, string authority)
    {
        _registry = registry;
        Authority = authority;
    }

    /// <summary>The CA's certificate in PEM.</summary>
    public string Authority { get; }

    public int Port => _registry.Port;

    /// <summary>Starts it on loopback with one image, under the tag 1.</summary>
    public static async Task<TestRegistry> StartAsync(ContainerImage image)
    {
        var (server, authority) = Certificates();
        var registry = await LoopbackRegistry.StartAsync(new() { Certificate = server, Basic = (User, Password) });
        await AddAsync(registry, image);
        return new TestRegistry(registry, authority);
    }

    public ValueTask DisposeAsync() => _registry.DisposeAsync();

    private static async Task AddAsync(LoopbackRegistry registry, ContainerImage image)
    {
        using var archive = new MemoryStream();
        await OciArchive.WriteAsync(image, archive, TestContext.Current.CancellationToken);
        archive.Position = 0;
        var content = new List<byte[]>();
        var manifest = "";
        using var reader = new TarReader(archive);
        while (reader.GetNextEntry() is { } entry)
        {
            using var bytes = new MemoryStream();
            entry.DataStream?.CopyTo(bytes);
            if (entry.Name.StartsWith("blobs/sha256/", StringComparison.Ordinal))
                content.Add(bytes.ToArray());
            else if (entry.Name == "index.json")
                manifest = JsonDocument.Parse(bytes.ToArray()).RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString()!;
        }

        foreach (var blob in content)
            registry.Add(blob, PushedImage.DigestOf(blob) == manifest ? PushedImage.ManifestType : "application/octet-stream");
        foreach (var repository in Repositories)
            registry.Tag(repository, "1", manifest);
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
