using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Readiness;

/// <summary>The gates between the guest's first word and Ready, as a table. Pure.</summary>
internal static class ReadinessGates
{
    /// <summary>In order: each one's budget begins when the one before it is passed.</summary>
    internal static IReadOnlyList<ReadinessGate> Cluster { get; } =
    [
        new(BootStages.Init, "PID 1 to mount, load modules and set up network and state disk",
            "'gateway logs --source console' shows the guest's console.", Seconds(30), Seconds(90)),
        new(BootStages.Services, "etcd, containerd, the API server and the other services to be healthy",
            "'gateway status' names the service that is waited for, 'gateway logs --source SERVICE' shows its log.", Seconds(90), Seconds(300)),
        new(BootStages.Node, "the Kubernetes node to be Ready",
            "'gateway logs --source kubelet' says what the node lacks.", Seconds(90), Seconds(240)),
        new(BootStages.Workload, "images to be imported and manifests to be applied",
            "'gateway logs --source containerd' shows the imports.", Seconds(60), Seconds(180)),
        new(BootStages.Gateway, "the gateway's pod to be Ready",
            "'kubectl describe pod -n openshell' says what it lacks, 'gateway logs --source kubelet' why it did not start.", Seconds(90), Seconds(240)),
        new(BootStages.Bootstrap, "the kubeconfig and certificates to be fetched and written",
            "'gateway logs --source supervisor' shows the attempts.", Seconds(20), Seconds(60)),
        new(BootStages.Ready, "the gateway to answer a health check over mTLS through its forwarded port",
            "'gateway logs --source supervisor' shows the answers, 'gateway logs --source gvproxy' the forward.", Seconds(30), Seconds(120)),
    ];

    /// <summary>The gate that is waited for now, and since when; <see langword="null"/>: all are passed.</summary>
    /// <param name="stages">The table of stages of this start.</param>
    internal static (ReadinessGate Gate, TimeSpan Since)? Current(IReadOnlyList<StageTime> stages)
    {
        var since = End(stages, BootStages.Kernel) ?? TimeSpan.Zero;
        foreach (var gate in Cluster)
        {
            if (End(stages, gate.Stage) is not { } end)
                return (gate, since);
            since = end > since ? end : since;
        }

        return null;
    }

    /// <summary>The gate whose budget is used up.</summary>
    /// <param name="stages">The table of stages of this start.</param>
    /// <param name="now">Time since the start began.</param>
    /// <param name="emulated">Which budgets count.</param>
    /// <param name="patience">Factor on every budget, at least 1: a user who gives a longer timeout wants to wait.</param>
    internal static ReadinessGate? Overdue(IReadOnlyList<StageTime> stages, TimeSpan now, bool emulated, double patience) =>
        Current(stages) is var (gate, since) && now - since > (emulated ? gate.EmulatedBudget : gate.Budget) * patience ? gate : null;

    private static TimeSpan? End(IReadOnlyList<StageTime> stages, string stage) =>
        stages.FirstOrDefault(s => s.Stage == stage) is { State: StageState.Completed or StageState.Skipped, Duration: { } duration } row ? row.Start + duration : null;

    private static TimeSpan Seconds(int seconds) => TimeSpan.FromSeconds(seconds);
}
