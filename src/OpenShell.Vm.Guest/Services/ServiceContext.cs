using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Services;

/// <summary>What every service's life needs from around it.</summary>
internal sealed record ServiceContext
{
    /// <summary>Starts programs.</summary>
    public required ProcessLauncher Launcher { get; init; }

    /// <summary>Who is told.</summary>
    public required IStageReporter Reporter { get; init; }

    /// <summary>What holds by now.</summary>
    public required ConditionBoard Board { get; init; }

    /// <summary>Asks whether one is healthy.</summary>
    public required HealthProbe Probe { get; init; }

    /// <summary>Variables for services that reach out (<see cref="Service.ReachesOut"/>): the proxies.</summary>
    public IReadOnlyList<string> OutsideEnvironment { get; init; } = [];

    /// <summary>How often a healthy service is asked whether it still is.</summary>
    public TimeSpan AskEvery { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A service that was healthy and has not answered for so long hangs, and is started again. Long: an emulated machine on a busy host needs minutes for
    /// what takes seconds, and a service that is ended for being slow only makes the next one slower.
    /// </summary>
    public TimeSpan SilenceLimit { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Completes when services may run, which may be now: while they are held still, none is asked whether it is healthy, and none is silent.</summary>
    public Func<Task> HeldStill { get; init; } = () => Task.CompletedTask;

    /// <summary>Folder of logs.</summary>
    public string Logs { get; init; } = GuestPaths.Logs;

    /// <summary>Whether each service has a cgroup of its own; tests on an ordinary machine go without.</summary>
    public bool Cgroups { get; init; } = true;
}
