using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>What is reached from where. Names are in <see cref="NameConformance"/>, port-forward in <see cref="WorkloadConformance"/>.</summary>
public abstract class NetworkConformance(TestCluster cluster) : ConformanceTest(cluster)
{
    [Fact]
    public async Task A_NodePort_is_reached_from_the_host_by_a_forward()
    {
        await PodAsync("web", Serving("by its port"));
        await CreateAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: 8080, nodePort: {{TestCluster.NodePort}} }]}
            """);
        await ReadyAsync("web");

        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(20) };
        await Eventually.HoldsAsync("the NodePort answers", async () => await FetchAsync(http) == "by its port\n", Soon);
    }

    /// <summary>docs/distributions.md says so: whoever relies on it must know. A cluster in which this test fails enforces them, and the documentation is wrong.</summary>
    [Fact]
    public async Task A_NetworkPolicy_is_taken_and_not_enforced()
    {
        await PodAsync("web", Serving("open"));
        await PodAsync("client", "sleep 100000");
        await CreateAsync("""
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: nobody}
            spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
            """);
        await ReadyAsync("web");
        await ReadyAsync("client");

        var address = (await PodNowAsync("web")).Text("status.podIP");
        (await InAsync("client", $"timeout 20 wget -q -O - http://{address}:8080/")).OrFail().ShouldBe("open\n");
    }

    private async Task<string?> FetchAsync(HttpClient http)
    {
        try
        {
            return await http.GetStringAsync(new Uri($"http://127.0.0.1:{Cluster.NodePortOnHost}/"), TestContext.Current.CancellationToken);
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested))
        {
            // The forward accepts before anything behind it listens.
            return null;
        }
    }
}
