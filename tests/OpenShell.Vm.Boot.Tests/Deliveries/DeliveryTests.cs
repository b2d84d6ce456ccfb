using OpenShell.Vm.Boot.Tests.Cluster;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Deliveries;

/// <summary>What the shared cluster was given along is there, and the world is reached by the ways that it was told.</summary>
public sealed class DeliveryTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Manifests_are_applied_and_their_pods_run_of_the_images_given_along()
    {
        await Kubectl.In("given").WaitAsync("condition=Ready", "pod/along");

        (await Kubectl.In("given").RunAsync("logs", "along")).ShouldBe("along runs\n");
    }

    [Fact]
    public async Task An_image_is_pulled_from_a_mirror_by_the_hosts_proxy_with_the_users_CA_and_password()
    {
        await Kubectl.ApplyAsync(GivenAlong.Pod("pulled", "registry.test/pulled:1", "Always"));
        await Kubectl.In("given").WaitAsync("condition=Ready", "pod/pulled");

        (await Kubectl.In("given").RunAsync("logs", "pulled")).ShouldBe("pulled runs\n");
        Cluster.Given!.Proxy.Asked.ShouldContain(TestRegistry.Host + ":443");
    }

    [Fact]
    public async Task Programs_of_the_guest_know_the_proxy_and_reach_nothing_else_on_the_hosts_loopback()
    {
        var environment = (await Cluster.ExecAsync("--", "env")).OrFail().Split('\n');
        var proxy = environment.Single(v => v.StartsWith("https_proxy=", StringComparison.Ordinal));
        var port = new Uri(Cluster.Given!.Proxy.Url).Port;

        proxy.ShouldBe($"https_proxy=http://192.168.127.254:{port}");
        environment.Single(v => v.StartsWith("NO_PROXY=", StringComparison.Ordinal)).ShouldEndWith(",.cluster.local,never.test");
        (await ConnectAsync(port)).OrFail();
        (await ConnectAsync(new Uri((await Cluster.StatusAsync()).GetProperty("endpoint").GetString()!).Port)).ExitCode.ShouldNotBe(0);

        Task<Finished> ConnectAsync(int to) => Cluster.ExecAsync("--", "sh", "-c", $"busybox nc -w 20 192.168.127.254 {to} < /dev/null");
    }

    [Fact]
    public async Task The_gateways_pods_find_proxies_and_authorities_in_their_namespace()
    {
        var proxy = await Kubectl.In("openshell").RunAsync("get", "configmap", "openshell-proxy", "-o", "jsonpath={.data.HTTPS_PROXY}");

        proxy.ShouldBe($"http://192.168.127.254:{new Uri(Cluster.Given!.Proxy.Url).Port}");
        (await Kubectl.In("openshell").RunAsync("get", "configmap", "openshell-ca", "-o", "jsonpath={.data.ca\\.crt}")).ShouldContain("BEGIN CERTIFICATE");
    }

    [Fact]
    public async Task What_is_no_archive_of_images_is_refused_before_anything_is_sent()
    {
        var refused = await Cluster.Gateway.RunAsync("image", "load", typeof(DeliveryTests).Assembly.Location, "--name", Cluster.Name);

        refused.ExitCode.ShouldBe(2);
        refused.Err.ShouldContain("is no archive of container images");
    }
}
