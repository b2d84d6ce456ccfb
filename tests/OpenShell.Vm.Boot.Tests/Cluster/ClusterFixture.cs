using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Deliveries;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>One cluster of upstream's, brought up as a user would, that all tests of the collection share.</summary>
public sealed class ClusterFixture : TestCluster
{
    private Exception? _failure;

    /// <summary><c>default</c>, whose gateway is on 30051; another where that port is taken, as by a developer's own cluster.</summary>
    internal override string Name { get => field ??= PortIsFree(30051) ? "default" : "boot-test"; }

    internal override string Volumes => "/var/lib/openshell/volumes";

    internal override IReadOnlyList<Component> Components => UpstreamComponents;

    /// <summary>What a cluster of upstream's consists of.</summary>
    internal static IReadOnlyList<Component> UpstreamComponents { get; } =
    [
        new("etcd", "etcd"),
        new("kube-apiserver", "kube-apiserver"),
        new("kube-controller-manager", "kube-controller-manager"),
        new("kube-scheduler", "kube-scheduler"),
        new("kubelet", "kubelet"),
        new("kube-proxy", "kube-proxy"),
        new("containerd", "containerd"),
        new("dns", "dnsmasq", "/dnsmasq.conf"),
        new("dns-records", "dnsmasq", "/records.conf"),
        new("dhcp", "busybox", " udhcpc "),
    ];

    /// <summary>What <c>gateway up</c> printed.</summary>
    internal Finished? Up { get; private set; }

    /// <summary>What it was given along.</summary>
    internal GivenAlong? Given { get; private set; }

    /// <summary>The folder with the client's certificates of this cluster's gateway.</summary>
    internal string Mtls => Path.Combine(Home.Config, "openshell", "gateways", "openshell-vm-" + Name, "mtls");

    internal override async Task RequireAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        Requirements.SkipUnless("kubectl", "kubernetes-client");
        if (_failure is not null)
            throw new InvalidOperationException("The shared cluster did not come up: " + _failure.Message, _failure);
    }

    internal override async Task StartAgainAsync()
    {
        // What is missing is built without the proxy of the tests, which leads nowhere else.
        if (Given is null)
        {
            (await Gateway.StartAsync("image", "build", "--distribution", "upstream")).OrFail();
            Given = await GivenAlong.PrepareAsync(Home);
        }

        Up = await GatewayCli.StartAsync(Given.Environment, ["up", "--name", Name, "--detach", "--timeout", "30m", "--distribution", "upstream", "-p", $"{NodePortOnHost}:{NodePort}", .. Given.Options]);
        Up.OrFail();
        Starts++;
    }

    public override async ValueTask InitializeAsync()
    {
        try
        {
            await Requirements.SkipUnlessMachinesCanBootAsync();
            await StartAgainAsync();
        }
#pragma warning disable CA1031 // Told by every test that needs it.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _failure = e;
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (Up is not null)
            await GatewayAsync("stop");
        if (Given is not null)
            await Given.DisposeAsync();
        await base.DisposeAsync();
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
