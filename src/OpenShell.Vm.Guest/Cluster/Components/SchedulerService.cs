using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Cluster.Components;

/// <summary>Gives pods their node: https://v1-20.docs.kubernetes.io/docs/reference/command-line-tools-reference/kube-scheduler/</summary>
internal static class SchedulerService
{
    /// <summary>Its name.</summary>
    public const string Name = "kube-scheduler";

    /// <summary>What is run.</summary>
    public static Service Describe() => new()
    {
        Name = Name,
        Command =
        [
            $"{ClusterLayout.Programs}/{Name}",
            .. LoopbackServing.Arguments(ClusterCertificates.Scheduler, ClusterLayout.SchedulerPort),
            "--leader-elect=false",
        ],
        // Its own start takes seconds: it may overlap with the API server's last steps.
        Conditions = [new Condition.Done(Milestone.Certificates), new Condition.Answering(ApiServerService.Name)],
        Health = new HealthCheck.Https(ClusterLayout.SchedulerPort, "/healthz"),
        StopOrder = 10,
    };
}
