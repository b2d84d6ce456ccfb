using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Cluster.K3s;

/// <summary>k3s: API server, database, controllers, scheduler, kubelet, proxy and containerd as one program.</summary>
internal static class K3sService
{
    /// <summary>Its name.</summary>
    public const string Name = "k3s";

    /// <summary>What is run.</summary>
    public static Service Describe(ClusterNode node, ClusterNames names) => new()
    {
        Name = Name,
        Command = [K3sLayout.Program, "server", .. K3sFlags.For(node, names).Select(f => f.ToString())],
        // The firewall: it starts pods, and none may run before what they must not reach is closed.
        Conditions = [new Condition.Done(Milestone.StateDisk), new Condition.Done(Milestone.Certificates), new Condition.Done(Milestone.Firewall)],
        Reachable = new HealthCheck.Tcp(ClusterLayout.ApiPort),
        Health = new HealthCheck.Api("/readyz"),
        Liveness = new HealthCheck.Api("/livez"),
        ReachesOut = true,
        CpuWeight = 1000,
        // Before the pods are ended, since its kubelet would start them again.
        StopOrder = 20,
        StopPatience = TimeSpan.FromSeconds(20),
        // containerd's shims: they carry the pods, over a restart of k3s and until the pods themselves are ended in order.
        LeavesProcesses = true,
    };
}
