using System.Globalization;

namespace OpenShell.Vm.Supervision;

/// <summary>One way to make a process end, and how long it is given.</summary>
/// <param name="Name">For the log: <c>SIGTERM</c>.</param>
/// <param name="Act">Does it; a failure only means that the next rung is tried.</param>
/// <param name="Limit">How long the process may take to end after it.</param>
/// <param name="Patient">Left out, or broken off, when somebody is in a hurry.</param>
internal sealed record Rung(string Name, Func<CancellationToken, Task> Act, TimeSpan Limit, bool Patient = false);

/// <summary>Ends a process: each rung is tried, given its time, and said in the log; the last is SIGKILL.</summary>
internal static class ShutdownLadder
{
    /// <summary>SIGKILL cannot be refused; a process in an uninterruptible wait (a dead disk) can still take its time.</summary>
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(10);

    /// <summary>SIGTERM after the given rungs.</summary>
    internal static Rung Terminate(ChildProcess child, TimeSpan limit) => new("SIGTERM", _ => Send(child, Signals.Terminate), limit);

    /// <summary>Goes down the ladder until the process has ended.</summary>
    /// <param name="child">The process.</param>
    /// <param name="rungs">What to try before SIGKILL.</param>
    /// <param name="say">Takes one line for each step.</param>
    /// <param name="tell">Takes each rung that is tried, in place of <paramref name="say"/>: its name, and a sentence.</param>
    /// <param name="hurry">Cancelled when the user has lost patience: no patient rung is taken any more.</param>
    /// <returns>How it ended and by which rung; <see langword="null"/> in place of a rung: it had ended by itself.</returns>
    internal static async Task<(ExitReason Reason, string? Rung)> DescendAsync(
        ChildProcess child, IEnumerable<Rung> rungs, Action<string> say, Action<string, string>? tell = null, CancellationToken hurry = default)
    {
        if (child.Exited.IsCompleted)
            return (await child.Exited.ConfigureAwait(false), null);

        string? why = null;
        foreach (var rung in rungs.Append(new Rung("SIGKILL", _ => Send(child, Signals.Kill), KillLimit)))
        {
            if (hurry.IsCancellationRequested && rung.Patient)
                continue;
            var what = string.Create(CultureInfo.InvariantCulture, $"{child.Spec.Title}: {rung.Name}{why}; it has {rung.Limit.TotalSeconds:0.#} s");
            if (tell is null)
                say(what);
            else
                tell(rung.Name, what);
            (var reason, why) = await TryAsync(child, rung, say, rung.Patient ? hurry : default).ConfigureAwait(false);
            if (reason is not null)
                return (reason, rung.Name);
            why = $", since {rung.Name} {why}";
        }

        say(string.Create(CultureInfo.InvariantCulture, $"{child.Spec.Title} (pid {child.Identity.Pid}) has not ended {KillLimit.TotalSeconds} s after SIGKILL"));
        return (new ExitReason(null, Signals.Kill), "SIGKILL");
    }

    private static async Task<(ExitReason? Reason, string Why)> TryAsync(ChildProcess child, Rung rung, Action<string> say, CancellationToken hurry)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(hurry);
        limit.CancelAfter(rung.Limit);
        try
        {
            // The act and the end are watched together: a power-off that is never acknowledged may still work.
            var act = rung.Act(limit.Token);
            await Task.WhenAny(child.Exited, act).WaitAsync(limit.Token).ConfigureAwait(false);
            if (!child.Exited.IsCompleted)
                await act.ConfigureAwait(false);
            var reason = await child.Exited.WaitAsync(limit.Token).ConfigureAwait(false);
            say($"{child.Spec.Title} {reason}");
            return (reason, "");
        }
        catch (OperationCanceledException)
        {
            say($"{child.Spec.Title}: not ended by {rung.Name} in time");
            return (null, hurry.IsCancellationRequested ? "would take too long" : "did not end it in time");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            say($"{child.Spec.Title}: {rung.Name} failed: {e.Message}");
            return (null, $"failed: {e.Message.TrimEnd('.')}");
        }
    }

    private static Task Send(ChildProcess child, int signal)
    {
        child.Signal(signal);
        return Task.CompletedTask;
    }
}
