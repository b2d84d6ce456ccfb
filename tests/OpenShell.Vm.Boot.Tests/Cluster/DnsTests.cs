using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>The two name servers of the guest come back with all names. What pods look up is in <see cref="Conformance.NameConformance"/>.</summary>
public sealed class DnsTests(ClusterFixture cluster) : NamespaceTest(cluster)
{
    [Theory]
    [InlineData("dns")]
    [InlineData("dns-records")]
    [InlineData("kube-apiserver")]
    public async Task Names_are_there_again_after_what_they_come_from_was_killed_and_so_are_new_ones(string service)
    {
        await Namespaced.RunAsync("create", "service", "clusterip", "before", "--tcp", "80");
        var procs = $"/sys/fs/cgroup/services/{service}/cgroup.procs";
        var process = (await Cluster.ExecAsync("--", "cat", procs)).OrFail();

        (await Cluster.ExecAsync("--", "sh", "-c", $"kill -9 $(cat {procs})")).OrFail();

        await Eventually.HoldsAsync("another process", async () => (await Cluster.ExecAsync("--", "cat", procs)).OrFail() is { Length: > 0 } now && now != process, Soon);
        await Eventually.HoldsAsync(
            "the API server takes a new service", async () => (await Namespaced.TryAsync("create", "service", "clusterip", "after", "--tcp", "80")).ExitCode == 0, TimeSpan.FromMinutes(5));
        foreach (var name in (string[])["before", "after"])
        {
            // kubectl names the port after its number: "80".
            await Eventually.HoldsAsync($"the record of {name}", async () => (await FindAsync($"-type=srv _80._tcp.{name}.{Space}.svc.cluster.local")).Contains($"80 {name}.{Space}.svc.cluster.local", StringComparison.Ordinal), Soon);
            (await FindAsync($"{name}.{Space}.svc.cluster.local")).ShouldContain("Address: 10.43.");
        }

        // By the guest itself, since kubectl exec needs the API server.
        async Task<string> FindAsync(string what) => (await Cluster.ExecAsync("--", "sh", "-c", $"busybox nslookup {what} 10.43.0.10 2>&1 || true")).Out;
    }
}
