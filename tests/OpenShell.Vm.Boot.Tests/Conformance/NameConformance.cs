using System.Text;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>The cluster's names, as pods look them up: https://github.com/kubernetes/dns/blob/master/docs/specification.md</summary>
public abstract class NameConformance(TestCluster cluster) : ConformanceTest(cluster)
{
    [Fact]
    public async Task Pods_find_services_by_name_on_the_pod_network_and_on_the_guests()
    {
        await CreateAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: web}
            spec: {selector: {app: server}, ports: [{name: http, port: 80, targetPort: 8080}]}
            """);
        await PodAsync("server", Serving("found"));
        await PodAsync("ordinary", "sleep 100000");
        await PodAsync("hostnetwork", "sleep 100000", "  hostNetwork: true\n  dnsPolicy: ClusterFirstWithHostNet");
        foreach (var pod in (string[])["server", "ordinary", "hostnetwork"])
            await ReadyAsync(pod);
        var address = await Namespaced.RunAsync("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}");

        foreach (var pod in (string[])["ordinary", "hostnetwork"])
        {
            var resolver = (await InAsync(pod, "cat /etc/resolv.conf")).OrFail();
            resolver.ShouldContain("nameserver 10.43.0.10\n");
            resolver.ShouldContain($"search {Space}.svc.cluster.local svc.cluster.local cluster.local");
            resolver.ShouldContain("ndots:5");
            foreach (var name in (string[])["web", $"web.{Space}", $"web.{Space}.svc", $"web.{Space}.svc.cluster.local"])
                await Eventually.HoldsAsync($"http://{name}/ from {pod}", async () => (await InAsync(pod, $"timeout 20 wget -q -O - http://{name}/")).Out == "found\n", Soon);
            (await LookUpAsync(pod, $"web.{Space}.svc.cluster.local")).ShouldContain("Address: " + address);
            (await LookUpAsync(pod, $"-type=srv _http._tcp.web.{Space}.svc.cluster.local")).ShouldContain($"service = 0 100 80 web.{Space}.svc.cluster.local");
            (await LookUpAsync(pod, "-type=ptr " + Reverse(address))).ShouldContain($"name = web.{Space}.svc.cluster.local");
        }

        await Namespaced.RunAsync("delete", "service", "web");
        await Eventually.HoldsAsync("the name goes with the service", async () => (await LookUpAsync("ordinary", $"web.{Space}.svc.cluster.local")).Contains("NXDOMAIN", StringComparison.Ordinal), Soon);
    }

    [Fact]
    public async Task A_headless_service_stands_for_its_ready_pods_which_have_names_of_their_own()
    {
        await CreateAsync($$"""
            apiVersion: v1
            kind: Service
            metadata: {name: db}
            spec: {clusterIP: None, selector: {app: db}, ports: [{name: sql, port: 5432}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: early}
            spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: db}, ports: [{name: sql, port: 5432}]}
            ---
            apiVersion: apps/v1
            kind: StatefulSet
            metadata: {name: db}
            spec:
              serviceName: db
              replicas: 2
              podManagementPolicy: Parallel
              selector: {matchLabels: {app: db} }
              template:
                metadata: {labels: {app: db} }
                spec:
                  terminationGracePeriodSeconds: 0
                  containers: [{{Container("sleep 100000", "readinessProbe: {exec: {command: [cat, /tmp/ready]}, periodSeconds: 3}")}}]
            """);
        await Eventually.HoldsAsync("both pods run", async () => (await Namespaced.RunAsync("get", "pods", "-o", "jsonpath={.items[*].status.phase}")) == "Running Running", Soon);
        var first = await AddressOfAsync("db-0");
        var second = await AddressOfAsync("db-1");

        // None is ready: nobody is there, but for who wants to know all the same.
        await Eventually.HoldsAsync(
            "the addresses of those that are not ready",
            async () => await LookUpAsync("db-0", $"early.{Space}.svc.cluster.local") is var found && found.Contains(first, StringComparison.Ordinal) && found.Contains(second, StringComparison.Ordinal),
            Soon);
        (await LookUpAsync("db-0", $"db.{Space}.svc.cluster.local")).ShouldContain("NXDOMAIN");

        (await InAsync("db-0", "true > /tmp/ready")).OrFail();
        (await InAsync("db-1", "true > /tmp/ready")).OrFail();
        await Eventually.HoldsAsync(
            "the addresses of those that are ready",
            async () => await LookUpAsync("db-0", $"db.{Space}.svc.cluster.local") is var found && found.Contains(first, StringComparison.Ordinal) && found.Contains(second, StringComparison.Ordinal),
            Soon);
        (await LookUpAsync("db-0", $"db-1.db.{Space}.svc.cluster.local")).ShouldContain("Address: " + second);
        var records = await LookUpAsync("db-0", $"-type=srv _sql._tcp.db.{Space}.svc.cluster.local");
        records.ShouldContain($"5432 db-0.db.{Space}.svc.cluster.local");
        records.ShouldContain($"5432 db-1.db.{Space}.svc.cluster.local");
        // Two Services have names for it; which of them an address gives is not said.
        (await LookUpAsync("db-0", "-type=ptr " + Reverse(second))).ShouldContain($"name = db-1.");

        await Namespaced.RunAsync("scale", "statefulset/db", "--replicas", "1");
        await Eventually.HoldsAsync("the name of the pod that was taken away goes", async () => (await LookUpAsync("db-0", $"db-1.db.{Space}.svc.cluster.local")).Contains("NXDOMAIN", StringComparison.Ordinal), Soon);
        (await LookUpAsync("db-0", $"db-0.db.{Space}.svc.cluster.local")).ShouldContain("Address: " + first);
    }

    [Fact]
    public async Task Names_of_the_outside_are_found_and_unknown_ones_of_the_cluster_are_not_asked_for_there()
    {
        // gvproxy's own names, which need no internet: https://github.com/containers/gvisor-tap-vsock (cmd/gvproxy, the zone containers.internal)
        await Namespaced.RunAsync("create", "service", "externalname", "outside", "--external-name", "gateway.containers.internal");
        await ReadyPodAsync("asker", "sleep 100000");

        (await LookUpAsync("asker", "gateway.containers.internal")).ShouldContain("Address: 192.168.127.1");
        await Eventually.HoldsAsync("the external name", async () => (await LookUpAsync("asker", $"outside.{Space}.svc.cluster.local")).Contains("Address: 192.168.127.1", StringComparison.Ordinal), Soon);
        (await LookUpAsync("asker", $"nothing.{Space}.svc.cluster.local")).ShouldContain("NXDOMAIN");
        (await LookUpAsync("asker", "gateway.containers.internal.cluster.local")).ShouldContain("NXDOMAIN");

        // By TCP (RFC 1035, 4.2.2): length, id 7, recursion desired, one question; the answer ends with the address.
        string[] labels = ["kubernetes", "default", "svc", "cluster", "local"];
        byte[] question = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. labels.SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]), 0, 0, 1, 0, 1];
        var escaped = string.Concat(new byte[] { 0, (byte)question.Length }.Concat(question).Select(b => "\\0" + Convert.ToString(b, 8)));
        var answer = await InAsync("asker", $"(echo -n -e '{escaped}'; sleep 3) | timeout 20 nc 10.43.0.10 53");
        answer.Output.TakeLast(4).ShouldBe([(byte)10, (byte)43, (byte)0, (byte)1], answer.ToString());
    }

    private async Task<string> AddressOfAsync(string pod) => await Namespaced.RunAsync("get", "pod", pod, "-o", "jsonpath={.status.podIP}");

    /// <summary>What busybox' nslookup prints; it asks for what it is given, without the search list.</summary>
    private async Task<string> LookUpAsync(string pod, string what) => (await InAsync(pod, $"timeout 20 nslookup {what} 2>&1")).Out;

    private static string Reverse(string address) => string.Join('.', address.Split('.').Reverse()) + ".in-addr.arpa";
}
