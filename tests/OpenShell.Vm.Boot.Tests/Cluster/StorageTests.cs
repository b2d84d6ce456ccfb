using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>Claims get volumes, which keep what is written to them until they are deleted. That they also outlive the machine is in <see cref="RestartTests"/>.</summary>
public sealed class StorageTests(ClusterFixture cluster) : NamespaceTest(cluster)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_stateful_sets_data_outlives_its_pod_and_goes_with_its_claim()
    {
        await Namespaced.ApplyAsync(StatefulSet("db", Image));
        await Namespaced.RunAsync("rollout", "status", "statefulset/db", "--timeout", "180s");
        await Namespaced.RunAsync("exec", "db-0", "--", "sh", "-c", "echo kept > /data/file");
        var volume = await Namespaced.RunAsync("get", "pvc", "data-db-0", "-o", "jsonpath={.spec.volumeName}");
        var pod = await UidAsync("pod/db-0");

        await Namespaced.RunAsync("delete", "pod", "db-0");
        await Eventually.HoldsAsync("another pod", async () => await UidAsync("pod/db-0") is { Length: > 0 } now && now != pod, Patience);
        await Namespaced.WaitAsync("condition=Ready", "pod/db-0");

        (await Namespaced.RunAsync("exec", "db-0", "--", "cat", "/data/file")).ShouldBe("kept\n");
        (await Kubectl.RunAsync("get", "pv", volume, "-o", "jsonpath={.spec.capacity.storage} {.spec.persistentVolumeReclaimPolicy} {.status.phase}")).ShouldBe("64Mi Delete Bound");
        (await FolderAsync(volume)).ShouldContain("file");

        await Namespaced.RunAsync("delete", "statefulset/db", "pvc/data-db-0", "--timeout", "120s");
        await Eventually.HoldsAsync("the volume and its folder go", async () => (await Kubectl.TryAsync("get", "pv", volume)).ExitCode != 0 && await FolderAsync(volume) is "", Patience);
    }

    [Fact]
    public async Task A_class_that_retains_leaves_the_data_for_who_wants_it()
    {
        var name = "keep-" + Namespaced.Namespace;
        try
        {
            await Namespaced.ApplyAsync($$"""
                apiVersion: storage.k8s.io/v1
                kind: StorageClass
                metadata: {name: {{name}} }
                provisioner: openshell-vm/local-path
                reclaimPolicy: Retain
                ---
                apiVersion: v1
                kind: PersistentVolumeClaim
                metadata: {name: data}
                spec: {storageClassName: {{name}}, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi} } }
                """);
            // At once: this class does not wait for a pod.
            await Eventually.HoldsAsync("the claim is bound", async () => (await Namespaced.RunAsync("get", "pvc", "data", "-o", "jsonpath={.status.phase}")) == "Bound", Patience);
            var volume = await Namespaced.RunAsync("get", "pvc", "data", "-o", "jsonpath={.spec.volumeName}");
            (await Cluster.ExecAsync("--", "sh", "-c", $"echo kept > {Folder(volume)}/file")).OrFail();

            await Namespaced.RunAsync("delete", "pvc", "data", "--timeout", "60s");
            await Eventually.HoldsAsync("the volume is released", async () => (await Kubectl.RunAsync("get", "pv", volume, "-o", "jsonpath={.status.phase}")) == "Released", Patience);
            await Kubectl.RunAsync("delete", "pv", volume, "--timeout", "60s");

            (await FolderAsync(volume)).ShouldContain("file");
            (await Cluster.ExecAsync("--", "rm", "-r", Folder(volume))).OrFail();
        }
        finally
        {
            await Kubectl.TryAsync("delete", "storageclass", name);
        }
    }

    [Fact]
    public async Task A_volume_for_many_nodes_is_refused_with_the_reason()
    {
        await Namespaced.ApplyAsync("""
            apiVersion: v1
            kind: PersistentVolumeClaim
            metadata: {name: shared}
            spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Mi}}}
            """);
        await PodAsync("user", "sleep 100000", """
              volumeMounts: [{name: data, mountPath: /data}]
          volumes: [{name: data, persistentVolumeClaim: {claimName: shared}}]
        """);

        await Eventually.HoldsAsync(
            "an event that says why",
            async () => (await Namespaced.RunAsync("get", "events", "--field-selector", "involvedObject.name=shared,reason=ProvisioningFailed", "-o", "jsonpath={.items[*].message}"))
                .Contains("ReadWriteMany is not possible", StringComparison.Ordinal),
            Patience);
        (await Namespaced.RunAsync("get", "pvc", "shared", "-o", "jsonpath={.status.phase}")).ShouldBe("Pending");
    }

    /// <summary>A set of one pod with a volume at <c>/data</c>, of the default class.</summary>
    internal static string StatefulSet(string name, string image) => $$"""
        apiVersion: apps/v1
        kind: StatefulSet
        metadata: {name: {{name}} }
        spec:
          serviceName: {{name}}
          selector: {matchLabels: {app: {{name}} } }
          template:
            metadata: {labels: {app: {{name}} } }
            spec:
              terminationGracePeriodSeconds: 0
              # A volume is open to whoever a pod runs as.
              securityContext: {runAsUser: 4711}
              containers:
                - name: main
                  image: {{image}}
                  imagePullPolicy: Never
                  command: ["sh", "-c", "sleep 100000"]
                  volumeMounts: [{name: data, mountPath: /data}]
          volumeClaimTemplates:
            - metadata: {name: data}
              spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 64Mi} } }
        """;

    private async Task<string> UidAsync(string item) => (await Namespaced.TryAsync("get", item, "-o", "jsonpath={.metadata.uid}")).Out;

    private async Task<string> FolderAsync(string volume) => (await Cluster.ExecAsync("--", "sh", "-c", $"ls -a {Folder(volume)} 2>/dev/null || true")).OrFail();

    private static string Folder(string volume) => "/var/lib/openshell/volumes/" + volume;
}
