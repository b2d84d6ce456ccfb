using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Cluster.Components;

/// <summary>Makes Services reachable, by rules of the packet filter: https://v1-20.docs.kubernetes.io/docs/reference/command-line-tools-reference/kube-proxy/</summary>
internal static class ProxyService
{
    /// <summary>Its name.</summary>
    public const string Name = "kube-proxy";

    /// <summary>What is run.</summary>
    public static Service Describe(ClusterNode node) => new()
    {
        Name = Name,
        Command =
        [
            $"{ClusterLayout.Programs}/{Name}",
            "--kubeconfig=" + ClusterLayout.KubeconfigOf(ClusterCertificates.Proxy),
            // 1.20 knows no nftables mode; Debian's iptables are a front of nftables.
            "--proxy-mode=iptables",
            "--cluster-cidr=" + ClusterLayout.PodNetwork,
            "--hostname-override=" + node.Name,
            $"--healthz-bind-address=127.0.0.1:{ClusterLayout.ProxyHealthPort}",
            "--metrics-bind-address=127.0.0.1:10249",
            // The kernel's own limit is right for a machine of this size.
            "--conntrack-max-per-core=0",
        ],
        Conditions = [new Condition.Done(Milestone.Firewall), new Condition.Done(Milestone.Certificates), new Condition.Answering(ApiServerService.Name)],
        Health = new HealthCheck.Http(ClusterLayout.ProxyHealthPort, "/healthz"),
        StopOrder = 10,
    };
}
