using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;

namespace OpenShell.Vm.Supervision;

/// <summary>What ends a run unasked: the hypervisor, gvproxy or the agent's channel going away.</summary>
internal sealed partial class Supervisor
{
    internal const string AgentLostCode = "guest.agent-lost";

    /// <summary>When one process goes, others follow; the first cause is the one to name. So much later the order is certain.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(1);

    private void WatchProcesses(Machine machine)
    {
        _ = WatchVmmAsync(machine);
        if (_gvproxy is { } gvproxy)
            _ = WatchGvproxyAsync(machine, gvproxy);
    }

    private async Task WatchVmmAsync(Machine machine)
    {
        var reason = await machine.Vmm.Exited.ConfigureAwait(false);
        await machine.Kept.ConfigureAwait(false);
        if (machine.Leaving)
            return;
        var ending = await VmmEndedAsync(machine, reason).ConfigureAwait(false);
        if (ending is Ending.Lost lost)
            _events.Report(lost.Fault.Code == "guest.panicked" ? EventNames.MachinePanicked : EventNames.MachineEnded, lost.Fault.What, fault: lost.Fault.Code);
        End(ending);
    }

    private async Task<Ending> VmmEndedAsync(Machine machine, ExitReason reason)
    {
        if (machine.OwnFault is { } own)
            return new Ending.Lost(own with { Log = Kept(machine.Vmm.Spec.LogFile) });
        await ((Task)machine.GuestShutdown).WaitAsync(Settle).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var shutdown = machine.GuestShutdown.IsCompletedSuccessfully ? await machine.GuestShutdown.ConfigureAwait(false) : null;
        if (shutdown is not null && GaveUp() is { } gaveUp)
            return new Ending.Lost(gaveUp);
        return shutdown switch
        {
            "guest-shutdown" => _ready.Task.IsCompleted ? new Ending.PoweredOff() : new Ending.Lost(OffTooEarly()),

            // With panic=-1 a panic is a reset, and with -no-reboot a reset is the end.
            "guest-reset" or "guest-panic" => new Ending.Lost(new Fault
            {
                Code = "guest.panicked",
                Stage = _timeline.CurrentStage,
                What = LogTail.Find(_files.ConsoleLog, PanicMark) is { } panic ? $"The guest's kernel panicked: \"{panic}\"." : $"The guest's kernel panicked or rebooted.{LogTail.LastWords(_files.ConsoleLog)}",
                Remedy = "Its console says why. More memory (--mem) helps when it was killed for want of it.",
                Log = Kept(_files.ConsoleLog),
            }),
            _ => new Ending.Lost(VmmEnded(machine.Vmm, reason)),
        };
    }

    /// <summary>Why the guest's first process gave up, if it did: it says so on the console, and powers off then since there is nothing else that it could do.</summary>
    private Fault? GaveUp() => GuestConsole.GaveUp(LogTail.Read(_files.ConsoleLog, int.MaxValue)) is { } last
        ? new Fault { Code = last.Code, Stage = _timeline.CurrentStage, What = $"The guest gave up: {last.What}", Remedy = "Its console says more. Start the instance again; if it happens again, report it with the console.", Log = Kept(_files.ConsoleLog) }
        : null;

    private Fault OffTooEarly() => new()
    {
        Code = "guest.powered-off",
        Stage = _timeline.CurrentStage,
        What = $"The guest powered itself off before it was ready.{LogTail.LastWords(_files.ConsoleLog)}",
        Remedy = "If nobody in the guest did that, its console may say why; start the instance again.",
        Log = Kept(_files.ConsoleLog),
    };

    /// <summary>Begins every panic's line (panic() in kernel/panic.c).</summary>
    private const string PanicMark = "Kernel panic";

    private Fault VmmEnded(ChildProcess vmm, ExitReason reason)
    {
        var lastWords = vmm.LastWords;
        return new Fault
        {
            Code = "vmm.ended",
            Stage = _timeline.CurrentStage,
            What = $"{vmm.Spec.Title} {reason}.{lastWords}",
            Remedy = lastWords.Contains(_files.StateDisk, StringComparison.Ordinal)
                ? $"The instance's disk {_files.StateDisk} cannot be used: put a copy of it back, or begin anew with 'gateway up --reset', which discards what is on it."
                : "Start the instance again; if it happens again, its log and 'gateway doctor' may say why.",
            Log = Kept(vmm.Spec.LogFile),
        };
    }

    private async Task WatchGvproxyAsync(Machine machine, ChildProcess gvproxy)
    {
        var reason = await gvproxy.Exited.ConfigureAwait(false);

        // It ends, rightly, when the machine does: then that is the news.
        await ((Task)machine.Vmm.Exited).WaitAsync(Settle).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (machine.Leaving || machine.Vmm.Exited.IsCompleted)
            return;
        var fault = GvproxyEnded(reason);
        _events.Report(EventNames.GvproxyEnded, fault.What, fault: fault.Code);
        if (machine.ReconnectsNetwork)
            await HealGvproxyAsync(machine).ConfigureAwait(false);
        else
            End(new Ending.Lost(fault, GuestIsWell: true));
    }

    private async Task WatchAgentAsync(Machine machine, GuestAgent agent)
    {
        var reason = await agent.Closed.ConfigureAwait(false);
        await machine.Kept.ConfigureAwait(false);

        // A guest that powers off closes its end a moment before its machine ends.
        await ((Task)machine.Vmm.Exited).WaitAsync(AgentSettle).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (machine.Leaving || machine.Vmm.Exited.IsCompleted)
            return;
        _events.Report(EventNames.AgentLost, $"the guest's agent has gone silent: {reason}", fault: AgentLostCode);
        End(new Ending.Lost(new Fault
        {
            Code = AgentLostCode,
            Stage = _timeline.CurrentStage,
            What = $"The guest's agent has gone silent: {reason}{LogTail.LastWords(_files.ConsoleLog)}",
            Remedy = "Its console may say why; start the instance again.",
            Log = Kept(_files.ConsoleLog),
        }));
    }

    /// <summary>Between the agent's last word and the machine's end: the guest unmounts its disks then.</summary>
    private static readonly TimeSpan AgentSettle = TimeSpan.FromSeconds(20);
}
