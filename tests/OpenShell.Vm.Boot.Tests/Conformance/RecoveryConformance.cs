using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>Every component may be killed: it comes back, what ran runs on, and what is new works.</summary>
public abstract class RecoveryConformance(TestCluster cluster) : ConformanceTest(cluster)
{
    [Fact]
    public async Task Each_component_comes_back_from_kill_9_and_pods_run_on()
    {
        Requirements.SkipUnlessFull("killing every component in turn takes ten minutes: './test --full' does it");
        await ReadyPodAsync("old", "sleep 100000");
        var before = ContainerOf(await PodNowAsync("old"));

        foreach (var component in Cluster.Components)
        {
            var name = "after-" + component.Name;
            var killed = await Cluster.FindAsync(component);
            killed.ShouldNotBeEmpty($"{component.Name} runs");
            (await Cluster.ShellAsync("kill -9 " + string.Join(' ', killed.Select(p => p.Split(' ')[0])))).ShouldBeEmpty();
            await Eventually.HoldsAsync($"another {component.Name} after {string.Join(", ", killed)}", async () => await Cluster.FindAsync(component) is { Count: > 0 } now && !now.Intersect(killed).Any(), Soon);

            // A new pod needs the API server, its database, the scheduler, the kubelet and containerd; its Service the controller manager, the proxy and the names.
            await Eventually.HoldsAsync($"a pod is taken after {component.Name} was killed", () => TryCreateAsync(name, Pod(name, Serving(name))), Soon);
            await Eventually.HoldsAsync($"a service is taken after {component.Name} was killed", () => TryCreateAsync(name, $$"""
                apiVersion: v1
                kind: Service
                metadata: {name: {{name}} }
                spec: {selector: {app: {{name}} }, ports: [{port: 80, targetPort: 8080}]}
                """), Soon);
            await Eventually.HoldsAsync($"the new pod is ready after {component.Name} was killed", async () => (await PodNowAsync(name)).IsReady(), Soon);
            await Eventually.HoldsAsync(
                $"the old pod finds the new one after {component.Name} was killed", async () => (await InAsync("old", $"timeout 20 wget -q -O - http://{name}/")).Out == name + "\n", Soon);
            ContainerOf(await PodNowAsync("old")).ShouldBe(before, $"the old pod's container after {component.Name} was killed");
        }
    }

    [Fact]
    public async Task A_pod_whose_shim_was_killed_is_started_again()
    {
        Requirements.SkipUnlessFull("what runs while it is killed is for './test --full'");
        await ReadyPodAsync("carried", "sleep 4711007");
        var before = ContainerOf(await PodNowAsync("carried"));
        var main = (await Cluster.FindAsync(new Component("the pod's program", "sleep", "4711007"))).ShouldHaveSingleItem().Split(' ')[0];

        (await Cluster.ShellAsync($"kill -9 $(grep PPid: /proc/{main}/status | tr -dc 0-9)")).ShouldBeEmpty();

        await Eventually.HoldsAsync(
            "another container of the same pod", async () => await PodNowAsync("carried") is var now && now.IsReady() && ContainerOf(now) != before, Soon);
        (await Cluster.FindAsync(new Component("the pod's program", "sleep", "4711007"))).ShouldHaveSingleItem().Split(' ')[0].ShouldNotBe(main);
        (await InAsync("carried", "echo alive")).OrFail().ShouldBe("alive\n");
    }

    private static string? ContainerOf(System.Text.Json.JsonElement pod) => pod.Text("status.containerStatuses.0.containerID");

    /// <summary>Whether there is such an object by now.</summary>
    private async Task<bool> TryCreateAsync(string name, string document)
    {
        try
        {
            return (await Api.TryCreateAsync(Space, document)).Status is System.Net.HttpStatusCode.Created or System.Net.HttpStatusCode.Conflict;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !TestContext.Current.CancellationToken.IsCancellationRequested))
        {
            Console.Out.WriteLine($"{name}: {e.Message}");
            return false;
        }
    }
}
