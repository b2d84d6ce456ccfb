using System.Globalization;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Supervision;

/// <summary>The end: whatever it was that ended the run, nothing is left of it but its files.</summary>
internal sealed partial class Supervisor
{
    /// <summary>gvproxy ends by itself when its guest is gone.</summary>
    private static readonly TimeSpan GvproxyEndLimit = TimeSpan.FromSeconds(2);

    private async Task<int> FinishAsync(Ending ending)
    {
        _status.MayBeUnwritten = _timeline.MayBeUnwritten = true;
        Again = _restart?.After(ending, _status.Now.ReadyAt);
        Sleep = ending is Ending.Saved { Sleep: var sleep } && _restart is not null ? sleep : Sleep.None;
        if (ending is not (Ending.ProgramEnded or Ending.Saved))
            _status.Change(status => status with { Phase = InstancePhase.Stopping });
        if (ending is Ending.Lost failed && !_ready.Task.IsCompleted && _timeline.CurrentStage is { } stage)
            _timeline.Failed(failed.Fault.Stage ?? stage, failed.Fault.What);

        await UnwindAsync("the machine", () => EndMachineAsync(ending)).ConfigureAwait(false);
        await UnwindAsync("virtiofsd", EndSharesAsync).ConfigureAwait(false);
        await UnwindAsync("gvproxy", EndGvproxyAsync).ConfigureAwait(false);

        // At once: nobody who calls finds the door closed while the memory is being put away.
        if (Sleep != Sleep.None)
            Bell = Doorbell.Listen(_ports.All, message => _events.Report(EventNames.ForwardLost, message));
        await _logs.DisposeAsync().ConfigureAwait(false);
        await UnwindAsync("the broker", EndBrokerAsync).ConfigureAwait(false);
        await UnwindAsync("the watches", EndWatchesAsync).ConfigureAwait(false);

        var commit = ending is Ending.Saved saved ? await CommitAsync(saved).ConfigureAwait(false) : null;
        var exception = commit is not null ? commit : ending is Ending.Lost lost ? new FaultException(lost.Fault, lost.Cause is FaultException ? lost.Cause.InnerException : lost.Cause) : null;
        if (ending is Ending.Lost { Cause: FaultException several } && several.Faults.Count > 1)
            exception = several;
        await UnwindAsync("the files", () => FinishFilesAsync(exception, ending is Ending.Saved && exception is null)).ConfigureAwait(false);
        Announce(exception);
        return ending switch
        {
            _ when exception is not null => throw exception,
            Ending.ProgramEnded ended => ended.ExitCode,
            _ => 0,
        };
    }

    private void Announce(FaultException? exception)
    {
        if (exception is not null)
        {
            _ready.TrySetException(exception);
            _agent.TrySetException(exception);
            _process.TrySetException(exception);
            return;
        }

        _ready.TrySetCanceled();
        _agent.TrySetCanceled();
        _process.TrySetCanceled();
    }

    private async Task EndMachineAsync(Ending ending)
    {
        if (_machine is not { } machine)
            return;
        machine.Leaving = true;

        // One that is paused hears no request to end in order.
        if (ending is Ending.Stopped && machine is { IsPaused: true, CanQuit: true })
            await UnwindAsync("the pause", () => machine.ContinueAsync(_hurry.Token)).ConfigureAwait(false);
        await ShutdownLadder.DescendAsync(machine.Vmm, MachineLadder.Rungs(machine, ending, keeps: IsCluster, PowerOffByAgentAsync, _options.Shutdown), _log.Say, TellRung, _hurry.Token).ConfigureAwait(false);
        await machine.DisposeAsync().ConfigureAwait(false);
        _status.SetProcess(Roles.Vmm, null);
    }

    private void TellRung(string rung, string what) => _events.Report(EventNames.ShutdownStep, what, rung);

    private async Task PowerOffByAgentAsync(CancellationToken cancellationToken)
    {
        var agent = _guest ?? throw new IOException("the agent has not answered yet");
        await agent.PowerOffAsync(cancellationToken).ConfigureAwait(false);
    }

    private async Task EndGvproxyAsync()
    {
        if (_gvproxy is not { } gvproxy)
            return;
        await ((Task)gvproxy.Exited).WaitAsync(_machine is null ? TimeSpan.Zero : GvproxyEndLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ShutdownLadder.DescendAsync(gvproxy, [ShutdownLadder.Terminate(gvproxy, _options.Shutdown.Terminate)], _log.Say).ConfigureAwait(false);
        _status.SetProcess(Roles.Gvproxy, null);

        // One that had to be killed leaves the files of its sockets.
        foreach (var forward in _ports.User.Where(f => f.HostSocket is not null))
            SocketFile.RemoveStale(forward.HostSocket!);
    }

    /// <returns>Why what was saved could not be kept; the disk has everything all the same.</returns>
    private async Task<FaultException?> CommitAsync(Ending.Saved saved)
    {
        try
        {
            await saved.Commit().ConfigureAwait(false);
            return null;
        }
        catch (Exception e)
        {
            return new FaultException(FaultOf(e), e);
        }
    }

    private async Task FinishFilesAsync(FaultException? exception, bool saved)
    {
        if (_lock is null)
        {
            _timeline.Dispose();
            Directory.Delete(_files.Root, recursive: true);
            return;
        }

        if (exception is not null)
            TryWriteFaults(exception.Faults);
        if (!saved && Bell is { } bell)
        {
            (Sleep, Bell) = (Sleep.None, null);
            await bell.DisposeAsync().ConfigureAwait(false);
        }

        // The next start boots: what lies over it is gone.
        // Whatever cannot be removed keeps nobody from being told, and the lock from being given back: the next start removes it.
        await UnwindAsync("what is not needed any more", () =>
        {
            if (!saved && !new Snapshot(_files).Exists)
                File.Delete(_files.MemoryBase);
            if (!GoesOn)
                InstanceRemains.RemoveRunFolder(_files);
            return Task.CompletedTask;
        }).ConfigureAwait(false);
        if (saved)
            _events.Report(EventNames.Suspended, string.Create(CultureInfo.InvariantCulture, $"{_config.Name} is suspended after {_timeline.Elapsed.TotalSeconds:0.0} s"));
        else if (exception is null)
            _events.Report(EventNames.Stopped, string.Create(CultureInfo.InvariantCulture, $"{_config.Name} has stopped after {_timeline.Elapsed.TotalSeconds:0.0} s"));
        else
            _events.Report(EventNames.Failed, exception.Faults[0].What, fault: exception.Faults[0].Code);
        _log.Say(string.Create(CultureInfo.InvariantCulture, $"end of {_config.Name} after {_timeline.Elapsed.TotalSeconds:0.0} s"));
        _status.Change(status => status with
        {
            Phase = Again is not null ? InstancePhase.Starting : exception is not null ? InstancePhase.Failed : saved ? InstancePhase.Suspended : InstancePhase.Stopped,
            Processes = !GoesOn ? new Dictionary<string, ProcessIdentity>() : new Dictionary<string, ProcessIdentity> { [Roles.Supervisor] = ProcessIdentities.Current },
            Fault = exception?.Faults[0],
        });
        _timeline.Dispose();
        _log.Dispose();
        _events.Dispose();

        // Last: whoever waits for the end waits for this. An instance that is started again stays taken meanwhile.
        if (!GoesOn)
            _lock.Dispose();
    }

    private void TryWriteFaults(IReadOnlyList<Fault> faults)
    {
        try
        {
            InstanceStore.WriteFaults(_files, faults);
        }
        catch (FaultException e)
        {
            // A full disk, mostly; whoever waits for the start is told by the log.
            _log.Say($"{e.Faults[0].What} It should say: {faults[0].What}");
        }
    }

    /// <summary>A step of the end that fails must not keep the others from being taken.</summary>
    private async Task UnwindAsync(string what, Func<Task> step)
    {
        try
        {
            await step().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            _log.Say($"while ending {what}: {e}");
        }
    }
}
