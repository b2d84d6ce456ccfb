using System.Globalization;

namespace OpenShell.Vm.Supervision;

/// <summary>How long each means to end a machine is given.</summary>
internal sealed record ShutdownLimits
{
    /// <summary>For tests: whether the agent is asked at all.</summary>
    internal bool AsksAgent { get; init; } = true;

    /// <summary>PID 1 accepts at once; one that gets no turn for so long does not hear the request.</summary>
    internal TimeSpan Accept { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// An orderly power-off of a cluster: pods are ended, services stopped in reverse order, the disk unmounted. Some 10 s here under emulation; longer than all limits of the guest's own steps
    /// together (<c>Shutdown.Longest</c> there), since a guest that takes them does not hang.
    /// </summary>
    internal TimeSpan PowerOff { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>The same orderly end, asked for by the power button, for a guest whose agent is out of reach. One that does not listen to it costs this much waiting.</summary>
    internal TimeSpan PowerDown { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>QEMU closes its disks; a slow one may have much to write.</summary>
    internal TimeSpan Quit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The same by a signal, for one that does not read its control socket.</summary>
    internal TimeSpan Terminate { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>The rungs by which a machine is ended, by why it ends.</summary>
internal static class MachineLadder
{
    /// <summary>From the gentlest that makes sense to SIGTERM; SIGKILL the ladder adds itself.</summary>
    /// <param name="machine">The machine.</param>
    /// <param name="ending">Why it ends.</param>
    /// <param name="keeps">Whether it has anything to keep: a program's machine has no disk.</param>
    /// <param name="powerOff">Asks the guest's agent; completes when it has accepted.</param>
    /// <param name="limits">How long each is given.</param>
    internal static IReadOnlyList<Rung> Rungs(Machine machine, Ending ending, bool keeps, Func<CancellationToken, Task> powerOff, ShutdownLimits limits)
    {
        if (!keeps)
            return [ShutdownLadder.Terminate(machine.Vmm, limits.Terminate)];
        // It is held, and has nothing left to do.
        if (ending is Ending.Saved)
            return [new("quit over QMP", machine.QuitAsync, limits.Quit), ShutdownLadder.Terminate(machine.Vmm, limits.Terminate)];
        var guestIsWell = ending is Ending.Stopped or Ending.Lost { GuestIsWell: true };
        var onlyAgentIsGone = ending is Ending.Lost { Fault.Code: Supervisor.AgentLostCode };
        return
        [
            .. guestIsWell && limits.AsksAgent ? [new("power-off by the guest's agent", token => AcceptedAsync(powerOff, limits.Accept, token), limits.PowerOff, Patient: true)] : (Rung[])[],
            .. machine.CanQuit && (guestIsWell || onlyAgentIsGone) ? [new("power button over QMP", machine.PowerDownAsync, limits.PowerDown, Patient: true)] : (Rung[])[],
            .. machine.CanQuit ? [new("quit over QMP", machine.QuitAsync, limits.Quit)] : (Rung[])[],
            ShutdownLadder.Terminate(machine.Vmm, limits.Terminate),
        ];
    }

    private static async Task AcceptedAsync(Func<CancellationToken, Task> powerOff, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            await powerOff(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(string.Create(CultureInfo.InvariantCulture, $"the guest did not accept it within {patience.TotalSeconds:0.#} s"));
        }
    }
}
