using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Power;

/// <summary>The one orderly way out: what uses the cluster, pods, what carries it, everything else, file systems, power. <see cref="Steps"/> is its table of contents.</summary>
internal static class Shutdown
{
    // Services that use the cluster go before the pods, those that carry it after them.
    private const int BeforePods = 49, Last = int.MaxValue;

    private const string SystemRequests = "/proc/sysrq-trigger";

    private static readonly TimeSpan PodPatience = TimeSpan.FromSeconds(10), ProcessPatience = TimeSpan.FromSeconds(2);

    /// <summary>After this long a power-off hangs in some device's driver.</summary>
    private static readonly TimeSpan PowerLimit = TimeSpan.FromSeconds(5);

    /// <summary>All limits together: the host waits longer than this before it takes the machine down itself.</summary>
    public static TimeSpan Longest => Steps(null, null!).Aggregate(PowerLimit, (sum, step) => sum + step.Limit);

    /// <summary>Ends the machine; does not return.</summary>
    public static async Task RunAsync(PowerAction action, ServiceManager? services, ChildReaper reaper, IStageReporter reporter)
    {
        KernelConsole.Say($"power {(action == PowerAction.Off ? "off" : "cycle")}: stopping");

        // Read before anything is unmounted.
        var off = action == PowerAction.Off ? MachineEnd.Off : Linux.RebootRestart;
        await ShutdownSteps.RunAsync(Steps(services, reaper), reporter).ConfigureAwait(false);
        KernelConsole.Say("stopped");
        _ = Task.Run(() => Linux.Reboot(off));
        await Task.Delay(PowerLimit).ConfigureAwait(false);
        KernelConsole.Say("power off: the kernel does not; it is asked the hard way");
        Ask(off == Linux.RebootPowerOff ? "o" : "b");
    }

    /// <summary>In order, each with its limit and what is done past it.</summary>
    internal static IReadOnlyList<ShutdownStep> Steps(ServiceManager? services, ChildReaper reaper) =>
    [
        // The scheduler goes with the first, so nothing new is placed on the node: what a cordon is for, without one that the next start would have to undo.
        new("cluster", TimeSpan.FromSeconds(15), () => StopAsync(services, 0, BeforePods), () => services?.Kill(0, BeforePods)),
        new("pods", PodPatience + ProcessPatience, () => PodTerminator.RunAsync(PodPatience), PodTerminator.Kill),
        new("services", TimeSpan.FromSeconds(15), () => StopAsync(services, BeforePods + 1, Last), () => services?.Kill(BeforePods + 1, Last)),
        new("processes", ProcessPatience * 3, () => EndRestAsync(reaper), () => Linux.Kill(-1, Linux.SignalKill)),

        // Emergency sync, then all read-only (https://docs.kernel.org/admin-guide/sysrq.html): what is written is written, and the file systems are clean.
        new("disks", TimeSpan.FromSeconds(15), UnmountAsync, () => Ask("s", "u")),
    ];

    private static Task StopAsync(ServiceManager? services, int from, int to) => services?.StopAsync(from, to) ?? Task.CompletedTask;

    private static Task UnmountAsync()
    {
        Linux.Sync();
        Unmounter.UnmountAll();
        Linux.Sync();
        return Task.CompletedTask;
    }

    private static void Ask(params IEnumerable<string> requests)
    {
        foreach (var request in requests)
            File.WriteAllText(SystemRequests, request);
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
