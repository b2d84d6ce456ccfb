using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Power;

/// <summary>The one orderly way out: services, pods, everything else, file systems, power.</summary>
internal static class Shutdown
{
    // Services that use the cluster go before the pods, those that carry it after them.
    private const int BeforePods = 49, Last = int.MaxValue;

    private static readonly TimeSpan PodPatience = TimeSpan.FromSeconds(10), ProcessPatience = TimeSpan.FromSeconds(2);

    /// <summary>Ends the machine; does not return.</summary>
    public static async Task RunAsync(PowerAction action, ServiceManager? services, ChildReaper reaper)
    {
        KernelConsole.Say($"power {(action == PowerAction.Off ? "off" : "cycle")}: stopping");
        if (services is not null)
        {
            await services.StopAsync(0, BeforePods).ConfigureAwait(false);
            await PodTerminator.RunAsync(PodPatience).ConfigureAwait(false);
            await services.StopAsync(BeforePods + 1, Last).ConfigureAwait(false);
        }

        await EndRestAsync(reaper).ConfigureAwait(false);
        var off = action == PowerAction.Off ? MachineEnd.Off : Linux.RebootRestart;
        Linux.Sync();
        Unmounter.UnmountAll();
        Linux.Sync();
        KernelConsole.Say("stopped");
        _ = Linux.Reboot(off);
    }

    /// <summary>Whatever else runs: programs of exec sessions, orphans. kill(-1) reaches all but this process.</summary>
    private static async Task EndRestAsync(ChildReaper reaper)
    {
        // An interactive shell ignores SIGTERM, and ends on SIGHUP.
        _ = Linux.Kill(-1, Linux.SignalTerminate);
        _ = Linux.Kill(-1, Linux.SignalHangUp);
        if (await EndsAsync(reaper).ConfigureAwait(false))
            return;
        _ = Linux.Kill(-1, Linux.SignalKill);
        await EndsAsync(reaper).ConfigureAwait(false);
    }

    /// <summary>Every process descends from PID 1, or is handed to it when its parent ends: without a child there is nobody.</summary>
    private static async Task<bool> EndsAsync(ChildReaper reaper)
    {
        // Not PID 1, under a libkrun whose init stays: its programs are gone with the machine in a moment.
        if (Environment.ProcessId != 1)
            return true;
        var childless = reaper.WhenChildless();
        return await Task.WhenAny(childless, Task.Delay(ProcessPatience)).ConfigureAwait(false) == childless;
    }
}
