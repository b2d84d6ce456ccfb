using System.Text;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Boot.Tests.K3s;

/// <summary>
/// The way in which the guest runs k3s, in a real machine. What is behind the program's name is the stand-in or k3s itself; these tests look at what both have: the folders, the
/// kubeconfig, the manifests, the archives, and what is cleaned before the start.
/// </summary>
public abstract class K3sClusterTests(K3sFixture cluster) : IAsyncLifetime
{
    private const string Server = "/var/lib/rancher/k3s/server", Agent = "/var/lib/rancher/k3s/agent";

    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(10);

    /// <summary>How <c>status</c> must call it.</summary>
    private protected abstract string Called { get; }

    private protected K3sFixture Cluster => cluster;

    public async ValueTask InitializeAsync() => await cluster.RequireAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task It_becomes_ready_and_is_called_what_it_is()
    {
        var status = await cluster.StatusAsync();

        status.GetProperty("ready").GetBoolean().ShouldBeTrue();
        status.GetProperty("distribution").GetString().ShouldBe("k3s");
        status.GetProperty("distributionVersion").GetString().ShouldNotBeNull().ShouldStartWith(Called);
    }

    [Fact]
    public async Task Its_kubeconfig_leads_to_the_cluster_from_the_host()
    {
        (await cluster.Kubectl.RunAsync("get", "nodes", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}")).ShouldBe("True");
        (await cluster.ShellAsync("stat -c '%a %U' /etc/rancher/k3s/k3s.yaml")).Trim().ShouldBe("600 root");
    }

    [Fact]
    public async Task The_gateway_came_by_the_manifests_folder()
    {
        (await cluster.ShellAsync($"ls {Server}/manifests")).ShouldContain("openshell-00-secrets.yaml");
        (await cluster.ShellAsync($"stat -c %a {Server}/manifests/openshell-00-secrets.yaml")).Trim().ShouldBe("600");
        (await cluster.Kubectl.In("openshell").RunAsync("get", "secrets", "-o", "name")).ShouldContain("secret/openshell-server-tls");
        // It answers before the kubelet has said so.
        await cluster.Kubectl.In("openshell").RunAsync("rollout", "status", "statefulset/openshell-gateway", "--timeout", "600s");
    }

    [Fact]
    public async Task Cni_programs_are_those_that_it_unpacked()
    {
        var links = await cluster.ShellAsync("readlink -f /opt/cni/bin/bridge /opt/cni/bin/loopback /opt/cni/bin/host-local /opt/cni/bin/portmap");

        links.Split('\n', StringSplitOptions.RemoveEmptyEntries).ShouldAllBe(l => l.StartsWith("/var/lib/rancher/k3s/data/", StringComparison.Ordinal));
        (await cluster.ShellAsync("ip -4 -o addr show cni0")).ShouldContain("10.42.0.1/24");
    }

    [Fact]
    public async Task An_archive_of_images_is_imported_when_it_comes()
    {
        using var archive = new MemoryStream();
        await OciArchive.WriteAsync(
            new ContainerImage { Reference = "localhost/late:1", Architecture = "amd64", Entrypoint = ["/none"], User = "0:0", Files = [new ImageFile("late", "late"u8.ToArray())] },
            archive,
            TestContext.Current.CancellationToken);

        await cluster.PutAsync($"{Agent}/images/late.tar", archive.ToArray());

        await Eventually.HoldsAsync("the image is there", async () => (await cluster.ShellAsync("ctr -n k8s.io images ls -q")).Contains("localhost/late:1", StringComparison.Ordinal), Soon);
    }

    [Fact]
    public async Task A_chart_that_was_given_along_is_installed_in_the_gateways_namespace()
    {
        (await cluster.Api.GetAsync("/apis/helm.cattle.io/v1/namespaces/kube-system/helmcharts/given-1-0-0")).Text("spec.chart").ShouldBe("https://%{KUBERNETES_API}%/static/charts/given-1.0.0.tgz");
        (await cluster.ShellAsync($"ls {Server}/static/charts")).ShouldContain("given-1.0.0.tgz");

        System.Text.Json.JsonElement settings = default;
        await Eventually.HoldsAsync(
            "the chart's object", async () => (settings = await cluster.Api.TryGetAsync("/api/v1/namespaces/openshell/configmaps/given-1-0-0-settings")).Text("metadata.uid") is not null, Soon);
        settings.Text("data.namespace").ShouldBe("openshell");
        settings.Text("data.color").ShouldBe("green");
    }

    [Fact]
    public async Task A_damaged_database_is_set_aside_and_said_and_the_manifests_make_a_new_cluster()
    {
        await cluster.PutAsync($"{Server}/manifests/mine.yaml", Encoding.UTF8.GetBytes("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-the-folder\ndata:\n  a: b\n"));
        await Eventually.HoldsAsync("the manifest is applied", () => ExistsAsync("from-the-folder"), Soon);
        await cluster.Kubectl.RunAsync("create", "configmap", "only-in-the-database");

        (await DiskAsync()).ShouldNotContain("damaged");

        // By a rename: the program goes on with its own file, and finds this one at its next start.
        await cluster.PutAsync($"{Server}/db/state.db", Encoding.UTF8.GetBytes(new string('x', 8192)));
        await cluster.ShellAsync($"rm -f {Server}/db/state.db-wal {Server}/db/state.db-shm");
        (await cluster.GatewayAsync("stop")).OrFail();
        await cluster.StartAgainAsync();

        (await DiskAsync()).ShouldContain($"{Server}/db/state.db.corrupt-");
        (await cluster.ShellAsync($"head -c 16 {Server}/db/state.db.corrupt-*")).ShouldBe(new string('x', 16));
        (await cluster.ShellAsync($"head -c 15 {Server}/db/state.db")).ShouldBe("SQLite format 3");
        await Eventually.HoldsAsync("the manifest is applied to the new cluster", () => ExistsAsync("from-the-folder"), Soon);
        (await ExistsAsync("only-in-the-database")).ShouldBeFalse();
        (await cluster.ShellAsync("ctr -n k8s.io images ls -q")).ShouldContain("localhost/openshell-gateway");
    }

    private async Task<bool> ExistsAsync(string configMap) => (await cluster.Api.TryGetAsync("/api/v1/namespaces/default/configmaps/" + configMap)).Text("metadata.uid") is not null;

    /// <summary>What the guest said about its disk at this start.</summary>
    private async Task<string> DiskAsync() =>
        (await cluster.StatusAsync()).GetProperty("stages").EnumerateArray().Single(s => s.GetProperty("stage").GetString() == "init/disk").GetProperty("detail").GetString() ?? "";
}

/// <summary>The stand-in's cluster.</summary>
[CollectionDefinition(Name)]
public sealed class StandInCluster : ICollectionFixture<StandInFixture>
{
    public const string Name = "stand-in for k3s";
}

/// <summary>The real one's cluster.</summary>
[CollectionDefinition(Name)]
public sealed class RealK3sCluster : ICollectionFixture<RealK3sFixture>
{
    public const string Name = "k3s";
}

/// <summary>With the stand-in: what is shown is our side of it.</summary>
[Collection(StandInCluster.Name)]
public sealed class StandInClusterTests(StandInFixture cluster) : K3sClusterTests(cluster)
{
    private protected override string Called => "k3s stand-in (";

    [Fact]
    public async Task A_chart_that_is_beyond_it_fails_visibly_and_nothing_of_it_is_applied()
    {
        await Cluster.PutAsync("/var/lib/rancher/k3s/server/static/charts/clever-1.0.0.tgz", TestChart.Pack("clever", TestChart.Template + "---\n{{ include \"clever.labels\" . }}\n"));
        const string Charts = "/apis/helm.cattle.io/v1/namespaces/default/helmcharts";
        foreach (var chart in (string[])["clever", "missing"])
        {
            (await Cluster.Api.SendAsync(HttpMethod.Post, Charts, $$$"""
                {"apiVersion":"helm.cattle.io/v1","kind":"HelmChart","metadata":{"name":"{{{chart}}}"},"spec":{"chart":"https://%{KUBERNETES_API}%/static/charts/{{{chart}}}-1.0.0.tgz"}}
                """)).OrFail();
        }

        await FailsAsync("clever", "templates/settings.yaml: the template action {{ include \"clever.labels\" . }} is beyond the stand-in, which is no Helm");
        await FailsAsync("missing", "404 Not Found");
        (await Cluster.Api.SendAsync(HttpMethod.Get, "/api/v1/namespaces/default/configmaps/clever-settings")).Status.ShouldBe(System.Net.HttpStatusCode.NotFound);

        // Mended, it is installed.
        await Cluster.PutAsync("/var/lib/rancher/k3s/server/static/charts/clever-1.0.0.tgz", TestChart.Pack("clever", TestChart.Template));
        await Eventually.HoldsAsync(
            "the mended chart", async () => (await Cluster.Api.TryGetAsync(Charts + "/clever")).Text("status.conditions.0.status") == "False", TimeSpan.FromMinutes(3));
        (await Cluster.Api.GetAsync("/api/v1/namespaces/default/configmaps/clever-settings")).Text("data.namespace").ShouldBe("default");

        Task FailsAsync(string chart, string why) => Eventually.HoldsAsync(
            $"the chart {chart} fails", async () => await Cluster.Api.TryGetAsync($"{Charts}/{chart}") is var now && now.Text("status.conditions.0.status") == "True"
                && now.Text("status.conditions.0.message")!.Contains(why, StringComparison.Ordinal), TimeSpan.FromMinutes(3));
    }

    [Fact]
    public async Task Its_database_is_a_synthetic_file_that_says_so() =>
        (await Cluster.ShellAsync("sqlite3 /var/lib/rancher/k3s/server/db/state.db 'SELECT value FROM kine LIMIT 1'")).ShouldContain("a synthetic file of the stand-in");
}

/// <summary>With k3s itself.</summary>
[Collection(RealK3sCluster.Name)]
public sealed class RealK3sClusterTests(RealK3sFixture cluster) : K3sClusterTests(cluster)
{
    private protected override string Called => "k3s v";
}
