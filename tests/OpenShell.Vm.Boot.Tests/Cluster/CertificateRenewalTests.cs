using System.Security.Cryptography.X509Certificates;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Readiness;
using OpenShell.Vm.Supervision.Watching;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>Certificates are renewed while the cluster runs, and everything goes on with the new ones.</summary>
public sealed class CertificateRenewalTests : IAsyncLifetime
{
    private readonly TestHome _home = new();

    public async ValueTask InitializeAsync() => await Requirements.SkipUnlessMachinesCanBootAsync();

    public ValueTask DisposeAsync()
    {
        _home.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task All_that_are_near_their_end_are_new_and_old_and_new_ways_in_work()
    {
        Requirements.SkipUnlessFull();
        var margin = TimeSpan.Zero;
        var instances = new LocalInstances(new InstancesOptions { Directories = _home.Directories, Certificates = new RenewalRule { Margin = () => margin, Interval = TimeSpan.FromSeconds(5) } });
        await using var running = await instances.RunAsync(new InstanceConfig { Name = "renewed", Distribution = "upstream", Timeout = TimeSpan.FromMinutes(20) }, cancellationToken: TestContext.Current.CancellationToken);
        var status = await running.Ready;
        var mtls = Path.Combine(_home.Config, "openshell", "gateways", "openshell-vm-renewed", "mtls");
        var before = (Api: await File.ReadAllTextAsync(status.Kubeconfig!, TestContext.Current.CancellationToken), Client: await File.ReadAllTextAsync(mtls + "/tls.crt", TestContext.Current.CancellationToken));
        using var old = new KubeApi(status.Kubeconfig!);
        var node = await old.GetAsync("/api/v1/nodes/renewed");
        var serial = (await SerialAsync(new Uri(status.Endpoint!))).ShouldNotBeNull();

        // More than the two years that they last: all of them.
        margin = TimeSpan.FromDays(1000);
        await Eventually.HoldsAsync("the kubeconfig is another", async () => await File.ReadAllTextAsync(status.Kubeconfig!, TestContext.Current.CancellationToken) != before.Api, TimeSpan.FromMinutes(10));
        margin = TimeSpan.Zero;

        using var now = new KubeApi(status.Kubeconfig!);
        foreach (var api in (KubeApi[])[old, now])
        {
            await Eventually.HoldsAsync("the API server answers", async () => (await api.TryGetAsync("/api/v1/nodes/renewed")).Text("metadata.uid") == node.Text("metadata.uid"), TimeSpan.FromMinutes(5));
        }

        (await File.ReadAllTextAsync(mtls + "/tls.crt", TestContext.Current.CancellationToken)).ShouldNotBe(before.Client);
        var events = await new GatewayCli(_home).RunAsync("events", "--name", "renewed");
        events.OrFail().ShouldContain("certificates.renewed");
        events.Out.ShouldNotContain("service.exited");

        // The gateway answers a client with the new certificate, and serves a new one itself.
        using var ca = X509CertificateLoader.LoadCertificateFromFile(mtls + "/ca.crt");
        using var client = X509Certificate2.CreateFromPemFile(mtls + "/tls.crt", mtls + "/tls.key");
        (await GrpcHealthClient.CheckAsync(new Uri(status.Endpoint!), ca, client, "", TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).ShouldBe(HealthStatus.Serving);
        await Eventually.HoldsAsync("the gateway has its new certificate", async () => await SerialAsync(new Uri(status.Endpoint!)) is { } another && another != serial, TimeSpan.FromMinutes(5));

        // The node, its kubelet and the controllers are at work: a namespace gets its account.
        (await now.SendAsync(HttpMethod.Post, "/api/v1/namespaces", """{"metadata":{"name":"later"}}""")).OrFail();
        await Eventually.HoldsAsync("controllers work", async () => (await now.TryGetAsync("/api/v1/namespaces/later/serviceaccounts/default")).Text("metadata.uid") is not null, TimeSpan.FromMinutes(5));
        await running.StopAsync();
        (await running.Completion).ShouldBe(0);
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    /// <summary>The certificate that a server shows.</summary>
    private static async Task<string?> SerialAsync(Uri endpoint)
    {
        using var tcp = new System.Net.Sockets.TcpClient();
        await tcp.ConnectAsync(endpoint.Host, endpoint.Port);
        string? serial = null;
#pragma warning disable CA5359 // It is only looked at.
        await using var tls = new System.Net.Security.SslStream(tcp.GetStream(), false, (_, certificate, _, _) => (serial = certificate?.GetSerialNumberString()) is not null);
#pragma warning restore CA5359
        try
        {
            await tls.AuthenticateAsClientAsync("localhost");
        }
        catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
        {
            // Without a client's certificate it goes no further.
        }

        return serial;
    }
}
