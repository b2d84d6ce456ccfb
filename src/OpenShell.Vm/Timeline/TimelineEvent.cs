using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Timeline;

/// <summary>One line of <c>timeline.jsonl</c>: something that happened to a stage. The spinner, <c>gateway timeline</c> and the benchmarks all read these.</summary>
public sealed record TimelineEvent
{
    /// <summary>A name of <see cref="BootStages"/>, or a part of one (<c>services/etcd</c>).</summary>
    public required string Stage { get; init; }

    /// <summary>What happened.</summary>
    public required StageState State { get; init; }

    /// <summary>Host wall clock, UTC.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Time since this start of the instance began, host's monotonic clock; guest events are placed on it by an anchor taken at the handshake.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Guest uptime, for events of the guest.</summary>
    public TimeSpan? GuestUptime { get; init; }

    /// <summary>One line for a person.</summary>
    public string? Detail { get; init; }

    /// <summary>Share done from 0 to 1, for long steps that can tell.</summary>
    public double? Progress { get; init; }
}
