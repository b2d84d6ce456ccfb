using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Deliveries;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>One cluster, brought up as a user would, that all tests of the collection share.</summary>
public sealed class ClusterFixture : IAsyncLifetime
{
    private Exception? _failure;
    private Task<string>? _image;

    internal TestHome Home { get; } = new();

    internal GatewayCli Gateway => new(Home);

    /// <summary><c>default</c>, whose gateway is on 30051; another where that port is taken, as by a developer's own cluster.</summary>
    internal string Name { get => field ??= PortIsFree(30051) ? "default" : "boot-test"; }

    /// <summary>What <c>gateway up</c> printed.</summary>
    internal Finished? Up { get; private set; }

    /// <summary>What it was given along.</summary>
    internal GivenAlong? Given { get; private set; }

    /// <summary>How often it was started.</summary>
    internal int Starts { get; private set; }

    /// <summary>What <c>gateway status --output json</c> says.</summary>
    internal async Task<JsonElement> StatusAsync()
    {
        var status = await GatewayAsync("status", "--output", "json");
        using var json = JsonDocument.Parse(status.OrFail());
        return json.RootElement.Clone();
    }

    /// <summary>Before each test: the cluster is up, or the test is skipped, or it fails with what kept the cluster from coming up.</summary>
    internal async Task RequireAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        Requirements.SkipUnless("kubectl", "kubernetes-client");
        if (_failure is not null)
            throw new InvalidOperationException("The shared cluster did not come up: " + _failure.Message, _failure);
    }

    /// <summary>A gateway command about this cluster: <c>gateway COMMAND --name NAME …</c>.</summary>
    internal Task<Finished> GatewayAsync(string command, params IReadOnlyList<string> arguments) => Gateway.RunAsync([command, "--name", Name, .. arguments]);

    /// <summary><c>gateway exec … -- PROGRAM …</c> on this cluster.</summary>
    internal Task<Finished> ExecAsync(params IReadOnlyList<string> arguments) => GatewayAsync("exec", arguments);

    internal Kubectl Kubectl => new(Name == "default" ? Home.Kubeconfig : Path.Combine(Home.Home, ".kube", $"gateway-{Name}.yaml"), Home);

    /// <summary>The folder with the client's certificates of this cluster's gateway.</summary>
    internal string Mtls => Path.Combine(Home.Config, "openshell", "gateways", "openshell-vm-" + Name, "mtls");

    /// <summary>An image in the cluster that has busybox and kubectl.</summary>
    internal Task<string> ImageAsync() => _image ??= TestImage.ImportAsync(this);

    /// <summary>Starts it, or starts it again.</summary>
    internal async Task StartAsync()
    {
        // What is missing is built without the proxy of the tests, which leads nowhere else.
        if (Given is null)
        {
            (await Gateway.StartAsync("image", "build", "--distribution", "upstream")).OrFail();
            Given = await GivenAlong.PrepareAsync(Home);
        }

        Up = await GatewayCli.StartAsync(Given.Environment, ["up", "--name", Name, "--detach", "--distribution", "upstream", .. Given.Options]);
        Up.OrFail();
        Starts++;
    }

    async ValueTask IAsyncLifetime.InitializeAsync()
    {
        try
        {
            await Requirements.SkipUnlessMachinesCanBootAsync();
            await StartAsync();
        }
#pragma warning disable CA1031 // Told by every test that needs it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure = e;
        }
    }

    async ValueTask IAsyncDisposable.DisposeAsync()
    {
        if (Up is not null)
            await GatewayAsync("stop");
        if (Given is not null)
            await Given.DisposeAsync();
        Home.Dispose();
    }

    private static bool PortIsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}

/// <summary>The tests that share it.</summary>
[CollectionDefinition(Name)]
public sealed class SharedCluster : ICollectionFixture<ClusterFixture>
{
    public const string Name = "cluster";
}

/// <summary>A test against the shared cluster.</summary>
[Collection(SharedCluster.Name)]
public abstract class ClusterTest(ClusterFixture cluster) : IAsyncLifetime
{
    private protected ClusterFixture Cluster => cluster;

    private protected Kubectl Kubectl => cluster.Kubectl;

    public virtual async ValueTask InitializeAsync() => await cluster.RequireAsync();

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
