using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>What is special about the volumes that PID 1 makes. What all distributions' do is in <see cref="Conformance.StorageConformance"/>.</summary>
public sealed class StorageTests(ClusterFixture cluster) : NamespaceTest(cluster)
{
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
            await Eventually.HoldsAsync("the claim is bound", async () => (await Namespaced.RunAsync("get", "pvc", "data", "-o", "jsonpath={.status.phase}")) == "Bound", Soon);
            var volume = await Namespaced.RunAsync("get", "pvc", "data", "-o", "jsonpath={.spec.volumeName}");
            (await Cluster.ExecAsync("--", "sh", "-c", $"echo kept > {Folder(volume)}/file")).OrFail();

            await Namespaced.RunAsync("delete", "pvc", "data", "--timeout", "600s");
            await Eventually.HoldsAsync("the volume is released", async () => (await Kubectl.RunAsync("get", "pv", volume, "-o", "jsonpath={.status.phase}")) == "Released", Soon);
            await Kubectl.RunAsync("delete", "pv", volume, "--timeout", "600s");

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
            Soon);
        (await Namespaced.RunAsync("get", "pvc", "shared", "-o", "jsonpath={.status.phase}")).ShouldBe("Pending");
    }

    private async Task<string> FolderAsync(string volume) => (await Cluster.ExecAsync("--", "sh", "-c", $"ls -a {Folder(volume)} 2>/dev/null || true")).OrFail();

    private static string Folder(string volume) => "/var/lib/openshell/volumes/" + volume;
}
