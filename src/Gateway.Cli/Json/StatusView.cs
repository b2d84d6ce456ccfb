using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Json;

/// <summary>An instance, as <c>status</c>, <c>list</c> and <c>up</c> print it.</summary>
internal sealed record StatusView(
    string Name,
    InstancePhase Phase,
    bool Ready,
    string? Endpoint,
    string? ApiServer,
    string? Kubeconfig,
    string? Hypervisor,
    string? Accelerator,
    string? Distribution,
    string? DistributionVersion,
    string? Bundle,
    string? CloneOf,
    int? Vcpus,
    int? MemoryMib,
    IReadOnlyDictionary<string, ProcessIdentity> Processes,
    IReadOnlyList<PortForward> Ports,
    IReadOnlyList<HostMount>? Mounts,
    IReadOnlyList<DiskSpace>? Disks,
    int? Restarts,
    DateTimeOffset? StartedAt,
    DateTimeOffset? ReadyAt,
    double? ReadySeconds,
    IReadOnlyList<StageView> Stages,
    FaultView? Fault)
{
    public static StatusView Of(InstanceStatus status) => new(
        status.Name,
        status.Phase,
        status.Phase == InstancePhase.Ready,
        status.Endpoint,
        status.ApiServer,
        status.Kubeconfig,
        status.Hypervisor,
        status.Accelerator,
        status.Distribution,
        status.DistributionVersion,
        status.Bundle,
        status.CloneOf,
        status.Vcpus,
        status.MemoryMib,
        status.Processes,
        status.Ports,
        status.Mounts.Count == 0 ? null : status.Mounts,
        status.Disks.Count == 0 ? null : status.Disks,
        status.Restarts == 0 ? null : status.Restarts,
        status.StartedAt,
        status.ReadyAt,
        status is { ReadyAt: { } ready, StartedAt: { } started } ? Units.Seconds(ready - started) : null,
        [.. status.Stages.Select(StageView.Of)],
        FaultView.Of(status.Fault));
}

/// <summary>A boot stage; times in seconds, <c>start</c> since the start of the instance.</summary>
internal sealed record StageView(string Stage, StageState State, double StartSeconds, double? Seconds, string? Detail)
{
    public static StageView Of(StageTime stage) =>
        new(stage.Stage, stage.State, Units.Seconds(stage.Start), stage.Duration is { } took ? Units.Seconds(took) : null, stage.Detail);
}

/// <summary>A fault.</summary>
internal sealed record FaultView(string Code, string? Stage, string What, string Remedy, string? Log)
{
    public static FaultView? Of(Fault? fault) =>
        fault is null ? null : new FaultView(fault.Code, fault.Stage, fault.What, fault.Remedy, fault.Log);
}
