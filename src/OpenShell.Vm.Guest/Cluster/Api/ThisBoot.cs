using System.Text.Json;

namespace OpenShell.Vm.Guest.Cluster.Api;

/// <summary>
/// Tells what the cluster's database says about this boot from what it still says about the last one: right after a start, nodes and pods are as ready
/// there as they were when the machine ended.
/// </summary>
/// <param name="Id">The kernel's number of this boot.</param>
/// <param name="Began">When it began, by the wall clock.</param>
internal sealed record ThisBoot(string Id, DateTimeOffset Began)
{
    /// <summary>The boot of this machine; the clock must have been set.</summary>
    public static ThisBoot Read() => new(
        File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), DateTimeOffset.UtcNow - TimeSpan.FromTicks(Uptime.Nanoseconds / 100));

    /// <summary>Whether a node is ready, and says so since this boot: its kubelet reports the kernel's number.</summary>
    public bool IsNodeReady(JsonElement node) =>
        ObjectConditions.IsReady(node)
        && node.GetProperty("status").TryGetProperty("nodeInfo", out var info)
        && info.TryGetProperty("bootID", out var id)
        && id.GetString() == Id;

    /// <summary>Whether a pod is ready, with containers that were all started since this boot.</summary>
    public bool IsPodReady(JsonElement pod)
    {
        if (!ObjectConditions.IsReady(pod) || !pod.GetProperty("status").TryGetProperty("containerStatuses", out var containers))
            return false;
        foreach (var container in containers.EnumerateArray())
        {
            if (!container.TryGetProperty("state", out var state)
                || !state.TryGetProperty("running", out var running)
                || !running.TryGetProperty("startedAt", out var started)
                // Kubernetes writes whole seconds.
                || started.GetDateTimeOffset() < Began - TimeSpan.FromSeconds(1))
            {
                return false;
            }
        }

        return true;
    }
}
