using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>The folder of manifests in the guest is followed while the cluster runs.</summary>
public sealed class ManifestFolderTests(ClusterFixture cluster) : NamespaceTest(cluster)
{
    private const string Folder = "/var/lib/openshell/manifests";

    // kubectl alone takes seconds on a machine that is emulated and busy.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private string File => $"{Folder}/{Namespaced.Namespace}.yaml";

    public override async ValueTask DisposeAsync()
    {
        await Cluster.ExecAsync("--", "sh", "-c", $"rm -f {Folder}/{Namespaced.Namespace}*");
        await base.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task What_is_put_there_is_applied_changed_and_taken_away_with_its_file()
    {
        await PutAsync(File, ConfigMap("first", "1") + "---\n" + ConfigMap("second", "1"));
        await HasAsync("first=1 second=1");

        await PutAsync(File, ConfigMap("first", "2") + "---\n" + ConfigMap("third", "2"));
        await HasAsync("first=2 third=2");

        // Left alone: neither applied nor taken away.
        await PutAsync(File + ".skip", "");
        await PutAsync(File, ConfigMap("first", "3"));
        await PutAsync(File.Replace(".yaml", "-other.yaml", StringComparison.Ordinal), ConfigMap("other", "3"));
        await HasAsync("first=2 other=3 third=2");

        await RemoveAsync(File + ".skip");
        await HasAsync("first=3 other=3");
        await RemoveAsync(File);
        await HasAsync("other=3");
    }

    [Fact]
    public async Task Lists_JSON_and_ports_without_a_protocol_are_applied_as_kubectl_does()
    {
        var service = $$$"""{apiVersion: v1, kind: Service, metadata: {name: web, namespace: {{{Namespaced.Namespace}}}}, spec: {selector: {app: web}, ports: [{port: 80}, {name: also, port: 81}]}}""";
        await PutAsync(File, $"apiVersion: v1\nkind: List\nitems:\n- {service.Replace("{port: 80}", "{name: first, port: 80}", StringComparison.Ordinal)}\n");
        await PutAsync(File.Replace(".yaml", "-too.json", StringComparison.Ordinal), $$$"""
            {
            	"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "json", "namespace": "{{{Namespaced.Namespace}}}"}, "data": {"value": "a\/b"}
            }
            """);

        await HasAsync("json=a/b");
        await Eventually.HoldsAsync(
            "the service's ports",
            async () => await Namespaced.RunAsync("get", "services", "web", "--ignore-not-found", "-o", "jsonpath={.spec.ports[*].protocol}") == "TCP TCP",
            Patience);
    }

    [Fact]
    public async Task A_mistake_in_one_is_said_and_stops_no_other_and_is_mended_by_a_correction()
    {
        var bad = File.Replace(".yaml", "-a-bad.yaml", StringComparison.Ordinal);
        await PutAsync(bad, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: broken\n");
        await PutAsync(File, ConfigMap("good", "1"));
        await HasAsync("good=1");

        await Eventually.HoldsAsync(
            "an event that names the file",
            async () => (await Kubectl.RunAsync("get", "events", "--namespace", "default", "--field-selector", "reason=ManifestRefused", "-o", "jsonpath={.items[*].message}")).Contains(bad, StringComparison.Ordinal),
            Patience);
        (await Cluster.GatewayAsync("logs", "--source", "console")).OrFail().ShouldContain(bad);

        await PutAsync(bad, ConfigMap("broken", "mended"));
        await HasAsync("broken=mended good=1");
    }

    private Task HasAsync(string all) => Eventually.HoldsAsync(
        all,
        // Later versions of Kubernetes put a ConfigMap of their own into every namespace.
        async () => string.Join(' ', (await Namespaced.RunAsync("get", "configmaps", "-o", "jsonpath={range .items[*]}{.metadata.name}={.data.value}{\"\\n\"}{end}"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !line.StartsWith("kube-root-ca.crt", StringComparison.Ordinal)).Order(StringComparer.Ordinal)) == all,
        Patience);

    private async Task PutAsync(string file, string text) => (await Cluster.Gateway.RunAsync(
        TimeSpan.FromMinutes(2), System.Text.Encoding.UTF8.GetBytes(text), "exec", "--name", Cluster.Name, "-i", "--", "sh", "-c", $"cat > {file}")).OrFail();

    private async Task RemoveAsync(string file) => (await Cluster.ExecAsync("--", "rm", file)).OrFail();

    private string ConfigMap(string name, string value) => $"""
        apiVersion: v1
        kind: ConfigMap
        metadata:
          name: {name}
          namespace: {Namespaced.Namespace}
        data:
          value: "{value}"

        """;
}
