namespace OpenShell.Vm.Protocol.Messages;

/// <summary>One step of the guest's boot, sent to the host as it happens. The names are those of the host's timeline.</summary>
public sealed record StageReport
{
    /// <summary>
    /// The stage: <c>kernel</c>, <c>init</c>, <c>network</c>, <c>disk</c>, <c>services</c>, <c>node</c>, <c>workload</c>, <c>gateway</c>; or
    /// <c>services/NAME</c> for one service; <c>disk/repair</c> when there was something to repair; at the end <c>shutdown/STEP</c>.
    /// </summary>
    public required string Stage { get; init; }

    /// <summary>What happened to it.</summary>
    public required StageState State { get; init; }

    /// <summary>Nanoseconds since the guest's kernel started (CLOCK_BOOTTIME).</summary>
    public required long UptimeNanoseconds { get; init; }

    /// <summary>One line for a person: what is being waited for, why it was skipped.</summary>
    public string? Detail { get; init; }

    /// <summary>What failed and what to do about it, when <see cref="State"/> is <see cref="StageState.Failed"/>.</summary>
    public GuestFault? Fault { get; init; }

    /// <summary>Of <c>services/NAME</c>: how it ended, when that is what is reported.</summary>
    public ServiceEnd? Ended { get; init; }
}

/// <summary>How a service of the guest ended that is started again.</summary>
public sealed record ServiceEnd
{
    /// <summary>As a shell reports it: 128+n when signal n ended it; <see langword="null"/>: it could not be started.</summary>
    public int? ExitCode { get; init; }

    /// <summary>How often it has been started again since the guest's start, the restart that follows included.</summary>
    public required int Restarts { get; init; }
}

/// <summary>The states of a boot stage.</summary>
public enum StageState
{
    /// <summary>Work on it began.</summary>
    Started,

    /// <summary>It is done.</summary>
    Completed,

    /// <summary>There was nothing to do.</summary>
    Skipped,

    /// <summary>It failed; the boot does not go on unless a later report says so.</summary>
    Failed,
}

/// <summary>A failure in the guest that a user can meet.</summary>
/// <param name="Code">A stable, dotted identifier such as <c>guest.kernel-capability-missing</c>.</param>
/// <param name="What">What happened, one sentence.</param>
/// <param name="Remedy">What to do about it, one sentence.</param>
public sealed record GuestFault(string Code, string What, string Remedy);
