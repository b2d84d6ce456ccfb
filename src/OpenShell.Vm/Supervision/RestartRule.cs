using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Supervision;

/// <summary>Decides whether an instance is started again, and after which pause. One for each run, made by the run before.</summary>
/// <param name="Policy">What its configuration says at the moment: one of <see cref="RestartPolicies"/>.</param>
/// <param name="Backoff">How pauses grow.</param>
/// <param name="Time">The clock.</param>
internal sealed record RestartRule(Func<string> Policy, Backoff Backoff, TimeProvider Time)
{
    /// <summary>How often it has been started again so far.</summary>
    internal int Restarts { get; init; }

    /// <summary>How many runs in a row failed before this one.</summary>
    internal int Failures { get; init; }

    /// <summary>Whether it was ready in an earlier run: only then a start that fails is tried again, since nobody waits to be told of it.</summary>
    internal bool WasReady { get; init; }

    /// <summary>The pause before the next start; <see langword="null"/>: there is to be none.</summary>
    /// <param name="ending">How this run ended.</param>
    /// <param name="readyAt">Since when it was ready; <see langword="null"/>: it never was.</param>
    internal TimeSpan? After(Ending ending, DateTimeOffset? readyAt)
    {
        if (!WasReady && readyAt is null)
            return null;
        var wanted = Policy() switch
        {
            RestartPolicies.Always => ending is Ending.Lost or Ending.PoweredOff,
            RestartPolicies.OnFailure => ending is Ending.Lost,
            _ => false,
        };
        return wanted ? Backoff.PauseAfter(Count(readyAt)) : null;
    }

    /// <summary>The rule of the next run.</summary>
    internal RestartRule Next(DateTimeOffset? readyAt) => this with { Restarts = Restarts + 1, Failures = Count(readyAt), WasReady = WasReady || readyAt is not null };

    private int Count(DateTimeOffset? readyAt) => Backoff.Count(Failures, readyAt is { } since ? Time.GetUtcNow() - since : TimeSpan.Zero);
}
