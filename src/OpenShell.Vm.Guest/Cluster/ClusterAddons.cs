using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Cluster.Dns;
using OpenShell.Vm.Guest.Cluster.Volumes;
using OpenShell.Vm.Guest.Cluster.Workload;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.Guest.Cluster;

/// <summary>What a cluster has beyond Kubernetes' own components, as k3s has it: names, volumes, a folder of manifests. PID 1 does it itself, in place of pods that would have to be downloaded.</summary>
internal sealed class ClusterAddons(ClusterNode node, IReadOnlyList<string> resolvers, ServiceManager services, Tool tool)
{
    /// <summary>Works for as long as the cluster runs.</summary>
    /// <param name="client">The API server, once there is a way to ask it.</param>
    /// <param name="manifests">Says when the image's own manifests were applied: what a user puts into the folder comes after them.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task RunAsync(Task<ApiClient> client, ManifestProgress manifests, CancellationToken cancellationToken)
    {
        var api = await client.ConfigureAwait(false);
        await services.Board.WaitAsync(new Condition.Healthy(ApiServerService.Name), cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(
            Together.KeepAsync("the cluster's DNS", stop => new DnsFeed(api, services, resolvers).RunAsync(stop), cancellationToken),
            Together.KeepAsync("the cluster's volumes", stop => new VolumeController(api, node.Name, tool).RunAsync(stop), cancellationToken),
            Together.KeepAsync("the folder of manifests", stop => new ManifestWatcher(api, node.Name, manifests).RunAsync(stop), cancellationToken)).ConfigureAwait(false);
    }
}
