namespace OpenShell.Vm.Guest.Services;

/// <summary>One long-running program of the guest: pure data, one file each. What it does when, is the business of <see cref="ServiceRunner"/>.</summary>
internal sealed record Service
{
    /// <summary>Its name: stage <c>services/NAME</c>, log <c>NAME.log</c>, cgroup <c>services/NAME</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The program (absolute path) and its arguments.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Variables beyond <see cref="Tools.Tool.Environment"/>, <c>KEY=VALUE</c>.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Whether it reaches out into the world, and must know the proxies on the way.</summary>
    public bool ReachesOut { get; init; }

    /// <summary>Working directory, made if missing.</summary>
    public string WorkingDirectory { get; init; } = "/";

    /// <summary>Unix sockets that it makes and does not take the place of: what a run that was killed left there is removed before the next. Absolute paths.</summary>
    public IReadOnlyList<string> Sockets { get; init; } = [];

    /// <summary>What must hold before it is started; in the order in which it is usually fulfilled, since the first one missing is what is reported.</summary>
    public IReadOnlyList<Condition> Conditions { get; init; } = [];

    /// <summary>How to tell that it does its work.</summary>
    public HealthCheck Health { get; init; } = HealthCheck.Running;

    /// <summary>
    /// How to tell that it can be reached (<see cref="Condition.Answering"/>), for those that can use the time until it is healthy;
    /// <see langword="null"/>: not before.
    /// </summary>
    public HealthCheck? Reachable { get; init; }

    /// <summary>Its share of the processors when they are short: 1 to 10000, the kernel's default is 100.</summary>
    public int CpuWeight { get; init; } = 100;

    /// <summary>How to tell, once it was healthy, that it does not hang; <see langword="null"/>: as <see cref="Health"/>.</summary>
    public HealthCheck? Liveness { get; init; }

    /// <summary>When and how fast it is started again.</summary>
    public RestartPolicy Restart { get; init; } = new();

    /// <summary>Its place in the orderly end: the lowest numbers are stopped first, equal ones together.</summary>
    public required int StopOrder { get; init; }

    /// <summary>What it started goes on when it ends; else that is killed with it.</summary>
    public bool LeavesProcesses { get; init; }

    /// <summary>How long it may take to end after SIGTERM, before SIGKILL.</summary>
    public TimeSpan StopPatience { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>When a service that ended is started again.</summary>
internal sealed record RestartPolicy
{
    /// <summary>Pause before the first restart; doubles with each.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest pause.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A run this long makes the next pause the first again.</summary>
    public TimeSpan ForgetAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>The pause before a restart.</summary>
    /// <param name="failures">How many short runs there were in a row, this one included: 1 or more.</param>
    public TimeSpan PauseAfter(int failures)
    {
        // 2^20 times the first pause is past any limit; without the cap the shift would wrap.
        var factor = 1L << Math.Min(Math.Max(failures, 1) - 1, 20);
        var pause = TimeSpan.FromTicks(Math.Min(FirstPause.Ticks * factor, LongestPause.Ticks));
        return pause;
    }
}
