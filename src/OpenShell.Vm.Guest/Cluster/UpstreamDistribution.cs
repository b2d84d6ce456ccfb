using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Cluster.Dns;
using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Cluster;

/// <summary>Kubernetes from Debian's source and packages: its services, all of them on this one node.</summary>
internal static class UpstreamDistribution
{
    /// <summary>Its name in the configuration.</summary>
    public const string Name = "upstream";

    /// <summary>What is run.</summary>
    public static IReadOnlyList<Service> Services(ClusterNode node) =>
    [
        ContainerdService.Describe(),
        EtcdService.Describe(),
        ApiServerService.Describe(node),
        ControllerManagerService.Describe(),
        SchedulerService.Describe(),
        KubeletService.Describe(node),
        ProxyService.Describe(node),
        DnsService.Describe(DnsPlace.Guest),
        DnsService.DescribeRecords(DnsPlace.Guest),
        .. node.Address is null ? Array.Empty<Service>() : [DhcpService.Describe()],
    ];
}
