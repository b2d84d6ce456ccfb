using System.Net.Sockets;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>Stopping leaves nothing behind, and starting again finds everything that was there.</summary>
public abstract class RestartConformance(TestCluster cluster) : ConformanceTest(cluster)
{
    [Fact]
    public async Task Stop_leaves_no_process_socket_or_mount_and_the_next_start_finds_the_clusters_state()
    {
        await Namespaced.RunAsync("create", "configmap", "memory", "--from-literal", "of=yesterday");
        await PodAsync("survivor", "sleep 100000");
        await CreateAsync(StorageConformance.StatefulSet("db", Image));
        await ReadyAsync("survivor");
        await ReadyAsync("db-0");
        await Namespaced.RunAsync("exec", "db-0", "--", "sh", "-c", "echo of yesterday > /data/file");
        await Namespaced.RunAsync("create", "service", "clusterip", "known", "--tcp", "80");
        var node = await Kubectl.RunAsync("get", "nodes", "-o", "jsonpath={.items[0].metadata.uid}");
        var endpoint = new Uri((await Cluster.StatusAsync()).GetProperty("endpoint").GetString()!);

        await BeforeStopAsync();
        (await Cluster.GatewayAsync("stop")).OrFail();

        Leftovers.Of(Cluster.Home).ShouldBeEmpty();
        (await Cluster.StatusAsync()).GetProperty("phase").GetString().ShouldBe("stopped");
        using (var client = new TcpClient())
            await Should.ThrowAsync<SocketException>(() => client.ConnectAsync(endpoint.Host, endpoint.Port));
        (await Cluster.ExecAsync("--", "true")).ExitCode.ShouldNotBe(0);
        (await Cluster.GatewayAsync("stop")).OrFail();

        await RefusedAsync();

        await Cluster.StartAgainAsync();
        await AfterStartAsync();

        (await Kubectl.RunAsync("get", "nodes", "-o", "jsonpath={.items[0].metadata.uid}")).ShouldBe(node);
        (await Namespaced.RunAsync("get", "configmap", "memory", "-o", "jsonpath={.data.of}")).ShouldBe("yesterday");
        // What the API says about pods right after a start may still be of before.
        await Eventually.HoldsAsync("the pod of before runs", async () => (await InAsync("survivor", "echo alive")).Out == "alive\n", Soon);
        await Eventually.HoldsAsync("the volume's data", async () => (await Namespaced.TryAsync("exec", "db-0", "--", "cat", "/data/file")).Out == "of yesterday\n", Soon);
        await Eventually.HoldsAsync(
            "the names of before",
            async () => (await Namespaced.TryAsync("exec", "survivor", "--", "nslookup", $"known.{Space}.svc.cluster.local")).Out.Contains("Address: 10.43.", StringComparison.Ordinal),
            Soon);
    }

    /// <summary>What else is lost before the stop, on a distribution.</summary>
    private protected virtual Task BeforeStopAsync() => Task.CompletedTask;

    /// <summary>What must be there of that as soon as it is ready again.</summary>
    private protected virtual Task AfterStartAsync() => Task.CompletedTask;

    /// <summary>A start with something that cannot be: it is said, with what to do, and the instance keeps all that it has.</summary>
    private async Task RefusedAsync()
    {
        var given = Directory.CreateDirectory(Path.Combine(Cluster.Home.Root, "refused")).FullName;
        await File.WriteAllTextAsync(Path.Combine(given, "broken.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n");
        await File.WriteAllBytesAsync(Path.Combine(given, "none.tar"), new byte[4096]);
        var before = Everything();

        var refused = await Cluster.Gateway.RunAsync(
            "up", "--name", Cluster.Name, "--detach", "--manifests", Path.Combine(given, "broken.yaml"), "--images", Path.Combine(given, "none.tar"), "--chart", Path.Combine(given, "missing.tgz"));

        refused.ExitCode.ShouldBe(2, refused.ToString());
        foreach (var file in (string[])["broken.yaml", "none.tar", "missing.tgz"])
            refused.Err.ShouldContain(file);
        refused.Err.ShouldContain("remedy:");
        Everything().ShouldBe(before);

        IReadOnlyList<string> Everything() =>
            [.. new DirectoryInfo(Cluster.Home.Data).EnumerateFiles("*", SearchOption.AllDirectories).Select(f => $"{f.FullName} {f.Length} {f.LastWriteTimeUtc:O}").Order(StringComparer.Ordinal)];
    }
}
