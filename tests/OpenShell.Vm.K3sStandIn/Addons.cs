using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Cluster.Dns;
using OpenShell.Vm.Guest.Cluster.Volumes;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.K3sStandIn.Helm;

namespace OpenShell.Vm.K3sStandIn;

/// <summary>
/// In the place of what k3s packages (https://docs.k3s.io/installation/packaged-components): for CoreDNS and the local-path provisioner, which run in pods there, the guest's own code with
/// k3s's names and paths.
/// </summary>
internal sealed class Addons(ServerOptions options, Layout layout, ApiClient api, ServiceManager services, Tool tool)
{
    /// <summary>Where names are served.</summary>
    public static DnsPlace DnsPlace { get; } = DnsPlace.Guest with { Folder = Layout.Dns };

    /// <summary>Works for as long as the server runs.</summary>
    public Task RunAsync(CancellationToken stopping)
    {
        var work = new List<Task>();
        if (options.Has("coredns"))
            work.Add(Together.KeepAsync("DNS", stop => new DnsFeed(api, services, Resolvers(), DnsPlace).RunAsync(stop), stopping));
        if (options.Has("local-storage"))
            work.Add(Together.KeepAsync("local-path", stop => new VolumeController(api, options.NodeName, tool, VolumePlace).RunAsync(stop), stopping));
        if (options.Has("helm-controller"))
            work.Add(Together.KeepAsync("HelmCharts", stop => new HelmController(api, layout.Charts).RunAsync(stop), stopping));
        return Task.WhenAll(work);
    }

    // https://github.com/k3s-io/k3s/blob/master/manifests/local-storage.yaml
    private VolumePlace VolumePlace => new("rancher.io/local-path", layout.Storage);

    /// <summary>CoreDNS asks those of the node's resolv.conf(5).</summary>
    private static IReadOnlyList<string> Resolvers() =>
        [.. File.ReadLines("/etc/resolv.conf").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(words => words is ["nameserver", _, ..]).Select(words => words[1])];
}
