using System.Security.Cryptography.X509Certificates;
using OpenShell.Gateway.Health;
using OpenShell.Gateway.Tls;
using OpenShell.Tests;

namespace OpenShell.Gateway.Tests.Tls;

/// <summary>Files as the kubelet lays them: <c>tls.crt -> ..data/tls.crt</c>, <c>..data -> ..VERSION</c>, and a change is another <c>..data</c> renamed over it.</summary>
public sealed class TlsReloadTests : IDisposable
{
    private readonly TestPki _old = new("old CA");
    private readonly TestPki _new = new("new CA");
    private readonly DirectoryInfo _mount = Directory.CreateTempSubdirectory("openshell-secret-");

    public void Dispose()
    {
        _old.Dispose();
        _new.Dispose();
        _mount.Delete(recursive: true);
    }

    [Fact]
    public async Task A_swap_of_the_secret_changes_the_servers_certificate_and_who_is_let_in()
    {
        Swap("..1", _old, _old.CaPem);
        await using var gateway = await StartAsync();
        using var oldCertificate = _old.Client();
        using var newCertificate = _new.Client();
        (await IsServed(gateway, _old, oldCertificate)).ShouldBeTrue();
        (await IsServed(gateway, _old, newCertificate)).ShouldBeFalse();

        // Clients of both authorities while the authority is being replaced, and only those of the new one afterwards.
        Swap("..2", _new, _old.CaPem + "\n" + _new.CaPem);
        await Until(() => IsServed(gateway, _new, newCertificate));
        (await IsServed(gateway, _new, oldCertificate)).ShouldBeTrue();

        Swap("..3", _new, _new.CaPem);
        await Until(async () => !await IsServed(gateway, _new, oldCertificate));
        (await IsServed(gateway, _new, newCertificate)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_swap_holds_for_the_next_connection_and_not_only_after_a_look()
    {
        Swap("..1", _old, _old.CaPem);
        await using var gateway = await StartAsync(TimeSpan.FromHours(1));
        using var oldCertificate = _old.Client();
        using var newCertificate = _new.Client();
        (await IsServed(gateway, _old, oldCertificate)).ShouldBeTrue();

        Swap("..2", _new, _new.CaPem);

        (await IsServed(gateway, _new, newCertificate)).ShouldBeTrue();
        (await IsServed(gateway, _new, oldCertificate)).ShouldBeFalse();
    }

    [Fact]
    public async Task Connections_that_were_let_in_by_another_authority_are_closed_and_those_of_the_same_are_not()
    {
        Swap("..1", _old, _old.CaPem);
        await using var gateway = await StartAsync(TimeSpan.FromHours(1));
        using var oldCertificate = _old.Client();
        using var newCertificate = _new.Client();
        using var watcher = new TestClient(gateway.Endpoint, _old, oldCertificate);
        using var watch = await watcher.SendAsync("/grpc.health.v1.Health/Watch", TestClient.Frame([]));
        await using var stream = await watch.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var status = new byte[7];
        await stream.ReadExactlyAsync(status, TestContext.Current.CancellationToken);

        // Another certificate of the server, and the same authority of its clients.
        Swap("..2", _old, _old.CaPem);
        (await IsServed(gateway, _old, oldCertificate)).ShouldBeTrue();
        gateway.Health.Set("", ServingStatus.NotServing);
        await stream.ReadExactlyAsync(status, TestContext.Current.CancellationToken);
        status.ShouldBe(TestClient.Frame([0x08, 2]));

        var next = stream.ReadAsync(status, TestContext.Current.CancellationToken).AsTask();
        Swap("..3", _new, _new.CaPem);
        (await IsServed(gateway, _new, newCertificate)).ShouldBeTrue();
        (await Should.ThrowAsync<Exception>(() => next.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken))).ShouldBeAssignableTo<IOException>();
    }

    [Fact]
    public async Task Files_that_cannot_be_used_leave_the_old_ones_in_use()
    {
        Swap("..1", _old, _old.CaPem);
        await using var gateway = await StartAsync();
        using var certificate = _old.Client();

        File.WriteAllText(Path.Combine(_mount.FullName, "..1", "tls.key"), "nonsense");
        await Task.Delay(300, TestContext.Current.CancellationToken); // several looks at the files
        (await IsServed(gateway, _old, certificate)).ShouldBeTrue();

        Swap("..2", _new, _new.CaPem);
        using var fresh = _new.Client();
        await Until(() => IsServed(gateway, _new, fresh));
    }

    [Theory]
    [InlineData("tls.crt", "", "tls.crt")]
    [InlineData("tls.crt", "nonsense", "tls.crt")]
    [InlineData("tls.key", "", "tls.key")]
    [InlineData("ca.crt", "", "ca.crt")]
    [InlineData("ca.crt", null, "ca.crt")]
    public void Unusable_files_at_the_start_are_named(string file, string? content, string named)
    {
        Swap("..1", _old, _old.CaPem);
        var path = Path.Combine(_mount.FullName, "..1", file);
        if (content is null)
            File.Delete(path);
        else
            File.WriteAllText(path, content);

        Should.Throw<TlsMaterialException>(() => TlsMaterial.Load(TestGateway.Settings(_mount.FullName))).Message.ShouldContain(named);
    }

    [Fact]
    public void A_key_of_another_certificate_is_refused()
    {
        Swap("..1", _old, _old.CaPem);
        using var other = _old.Server();
        File.WriteAllText(Path.Combine(_mount.FullName, "..1", "tls.key"), other.KeyPem());

        Should.Throw<TlsMaterialException>(() => TlsMaterial.Load(TestGateway.Settings(_mount.FullName)));
    }

    private Task<TestGateway> StartAsync(TimeSpan? lookEvery = null) => TestGateway.StartAsync(_old, settings => settings with
    {
        TlsReload = lookEvery ?? settings.TlsReload,
        Certificate = Path.Combine(_mount.FullName, "tls.crt"),
        Key = Path.Combine(_mount.FullName, "tls.key"),
        ClientCa = Path.Combine(_mount.FullName, "ca.crt"),
    });

    private void Swap(string version, TestPki pki, string clientCa)
    {
        using var server = pki.Server();
        TestGateway.WriteTls(Path.Combine(_mount.FullName, version), server, clientCa);
        var next = Path.Combine(_mount.FullName, "..data_tmp");
        File.CreateSymbolicLink(next, version);
        LibC.Rename(next, Path.Combine(_mount.FullName, "..data")).ShouldBe(0);
        foreach (var file in (string[])["tls.crt", "tls.key", "ca.crt"])
        {
            if (!File.Exists(Path.Combine(_mount.FullName, file)))
                File.CreateSymbolicLink(Path.Combine(_mount.FullName, file), Path.Combine("..data", file));
        }
    }

    private static async Task<bool> IsServed(TestGateway gateway, TestPki trusted, X509Certificate2 certificate)
    {
        try
        {
            using var client = new TestClient(gateway.Endpoint, trusted, certificate);
            return (await client.CallAsync("/grpc.health.v1.Health/Check", TestClient.Frame([]))).Status == 0;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await condition())
            await Task.Delay(20, patience.Token);
    }
}
