using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Cluster.Components;

/// <summary>Makes true what the API says: https://v1-20.docs.kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/</summary>
internal static class ControllerManagerService
{
    /// <summary>Its name.</summary>
    public const string Name = "kube-controller-manager";

    /// <summary>What is run.</summary>
    public static Service Describe() => new()
    {
        Name = Name,
        Command =
        [
            $"{ClusterLayout.Programs}/{Name}",
            .. LoopbackServing.Arguments(ClusterCertificates.ControllerManager, ClusterLayout.ControllerManagerPort),
            // There is no other that could lead.
            "--leader-elect=false",
            // All controllers with its own certificate, and not each with the token of an account: such tokens last an hour by a clock that stands still while the machine is saved or its host
            // sleeps, so that the controllers of 1.20 would go on with void ones for up to an hour. (And thirty accounts and tokens are made at each start, which is seconds under emulation.)
            "--use-service-account-credentials=false",
            "--service-account-private-key-file=" + ClusterLayout.Key("sa"),
            "--root-ca-file=" + ClusterLayout.Certificate(ClusterCertificates.ClusterCa),
            "--cluster-signing-cert-file=" + ClusterLayout.Certificate(ClusterCertificates.ClusterCa),
            "--cluster-signing-key-file=" + ClusterLayout.Key(ClusterCertificates.ClusterCa),
            "--allocate-node-cidrs=true",
            "--cluster-cidr=" + ClusterLayout.PodNetwork,
            "--service-cluster-ip-range=" + ClusterLayout.ServiceNetwork,
            // One node is cheap to look at, and its taint "not ready" goes away that much sooner.
            "--node-monitor-period=1s",
            // Some thirty controllers begin at once: the default of 20 a second makes them queue.
            "--kube-api-qps=100",
            "--kube-api-burst=200",
        ],
        // Healthy, not only answering: what it starts with reads nearly everything.
        Conditions = [new Condition.Done(Milestone.Certificates), new Condition.Healthy(ApiServerService.Name)],
        Health = new HealthCheck.Https(ClusterLayout.ControllerManagerPort, "/healthz"),
        StopOrder = 10,
    };
}
