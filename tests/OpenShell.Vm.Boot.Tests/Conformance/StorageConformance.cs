using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Conformance;

/// <summary>Claims get volumes of the default class, which keep what is written to them until they are deleted. That they also outlive the machine is in <see cref="RestartConformance"/>.</summary>
public abstract class StorageConformance(TestCluster cluster) : ConformanceTest(cluster)
{
    [Fact]
    public async Task A_stateful_sets_data_outlives_its_pod_and_goes_with_its_claim()
    {
        await CreateAsync(StatefulSet("db", Image));
        await ReadyAsync("db-0");
        await Namespaced.RunAsync("exec", "db-0", "--", "sh", "-c", "echo kept > /data/file");
        var volume = await Namespaced.RunAsync("get", "pvc", "data-db-0", "-o", "jsonpath={.spec.volumeName}");
        var pod = (await PodNowAsync("db-0")).Text("metadata.uid");

        await Namespaced.RunAsync("delete", "pod", "db-0");
        await Eventually.HoldsAsync("another pod", async () => await PodNowAsync("db-0") is var now && now.IsReady() && now.Text("metadata.uid") != pod, Soon);

        (await Namespaced.RunAsync("exec", "db-0", "--", "cat", "/data/file")).ShouldBe("kept\n");
        (await Kubectl.RunAsync("get", "pv", volume, "-o", "jsonpath={.spec.capacity.storage} {.spec.persistentVolumeReclaimPolicy} {.status.phase}")).ShouldBe("64Mi Delete Bound");
        (await FolderAsync(volume)).ShouldContain("file");

        await Namespaced.RunAsync("delete", "statefulset/db", "pvc/data-db-0", "--timeout", "600s");
        await Eventually.HoldsAsync("the volume and its folder go", async () => (await Kubectl.TryAsync("get", "pv", volume)).ExitCode != 0 && await FolderAsync(volume) is "", Soon);
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
              # With none at all the next pod of this name is there before this one's container has gone, and an exec may find either.
              terminationGracePeriodSeconds: 1
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

    // k3s adds the claim's name to the folder's.
    private async Task<string> FolderAsync(string volume) => (await Cluster.ExecAsync("--", "sh", "-c", $"ls -a {Cluster.Volumes}/{volume}* 2>/dev/null || true")).OrFail();
}
