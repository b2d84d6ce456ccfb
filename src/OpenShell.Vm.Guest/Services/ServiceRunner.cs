using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Services;

/// <summary>
/// The life of one service: waits for its conditions, starts it, asks until it is healthy, starts it again when it ends, and stops it.
/// Every change is reported as stage <c>services/NAME</c>.
/// </summary>
internal sealed class ServiceRunner : IDisposable
{
    // Often while others wait for it; a failed attempt is cheap, a refused connection.
    private static readonly TimeSpan AskWhileStarting = TimeSpan.FromMilliseconds(150);

    private readonly Service _service;
    private readonly ServiceContext _context;
    private readonly ServiceLog _log;
    private readonly string _stage;
    private readonly CancellationTokenSource _stopping = new();
    private Task _life = Task.CompletedTask;

    public ServiceRunner(Service service, ServiceContext context)
    {
        _service = service;
        _context = context;
        _log = new ServiceLog(service.Name, context.Logs);
        _stage = "services/" + service.Name;
    }

    /// <summary>What is run.</summary>
    public Service Service => _service;

    /// <summary>Its log.</summary>
    public ServiceLog Log => _log;

    /// <summary>Begins its life; returns at once.</summary>
    public void Start() => _life = Task.Run(LiveAsync);

    /// <summary>Ends it: SIGTERM, patience, SIGKILL, and whatever is left in its cgroup, unless it is to stay. Completes when nothing else of it runs.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _life.ConfigureAwait(false);
        if (_context.Cgroups && !_service.LeavesProcesses)
            Cgroups.Kill($"{Cgroups.Services}/{_service.Name}");
    }

    /// <inheritdoc/>
    public void Dispose() => _stopping.Dispose();

    private async Task LiveAsync()
    {
        var failures = 0;
        try
        {
            await WaitForConditionsAsync().ConfigureAwait(false);
            while (!_stopping.IsCancellationRequested)
            {
                var began = Uptime.Nanoseconds;
                var why = await RunOnceAsync().ConfigureAwait(false);
                if (_stopping.IsCancellationRequested)
                    return;
                failures = Uptime.Nanoseconds - began > _service.Restart.ForgetAfter.Ticks * 100 ? 1 : failures + 1;
                var pause = _service.Restart.PauseAfter(failures);
                Report(StageState.Failed, $"{why}; starting again in {pause.TotalSeconds:0.##} s", new GuestFault(
                    "guest.service-ended", $"{_service.Name} {why}. {_log.Tail()}".TrimEnd(), $"It is started again by itself; its log in the guest is {_log.Path}."));
                await Task.Delay(pause, _stopping.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The orderly end.
        }
    }

    private async Task WaitForConditionsAsync()
    {
        foreach (var condition in _service.Conditions)
        {
            if (!_context.Board.Holds(condition))
                Report(StageState.Started, "waits for " + condition.Description);
            await _context.Board.WaitAsync(condition, _stopping.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Runs the program once, to its end.</summary>
    /// <returns>How it ended.</returns>
    private async Task<string> RunOnceAsync()
    {
        ChildProcess child;
        try
        {
            child = _context.Launcher.Start(Describe());
        }
        catch (SpawnException exception)
        {
            return "could not be started: " + exception.Message;
        }

        Report(StageState.Started, $"runs as process {child.Pid}");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        // Completes only with a reason to end the program: it is to stop, or it does not answer any more.
        var health = WatchHealthAsync(ended.Token);
        var why = "ended with ";
        if (await Task.WhenAny(child.Exit, health).ConfigureAwait(false) != child.Exit)
        {
            why = await health.ConfigureAwait(false) + " and ended with ";
            await TerminateAsync(child).ConfigureAwait(false);
        }

        var status = await child.Exit.ConfigureAwait(false);
        await ended.CancelAsync().ConfigureAwait(false);
        await health.ConfigureAwait(false);
        return why + status;
    }

    private async Task TerminateAsync(ChildProcess child)
    {
        child.Signal(Linux.SignalTerminate);
        if (await Task.WhenAny(child.Exit, Task.Delay(_service.StopPatience)).ConfigureAwait(false) == child.Exit)
            return;
        KernelConsole.Say($"{_service.Name} did not end within {_service.StopPatience.TotalSeconds} s of SIGTERM and is killed");
        child.SignalGroup(Linux.SignalKill);
    }

    /// <summary>Asks until it is healthy, and then whether it still is.</summary>
    /// <returns>Why the program has to end.</returns>
    private async Task<string> WatchHealthAsync(CancellationToken ended)
    {
        try
        {
            if (_service.Reachable is { } reachable)
                await WaitForAsync(reachable, ended).ConfigureAwait(false);
            _context.Board.Fulfil(new Condition.Answering(_service.Name));
            await WaitForAsync(_service.Health, ended).ConfigureAwait(false);
            Report(StageState.Completed, null);
            _context.Board.Fulfil(new Condition.Healthy(_service.Name));
            for (var lastAnswer = Uptime.Nanoseconds; Uptime.Nanoseconds - lastAnswer < _context.SilenceLimit.Ticks * 100;)
            {
                await Task.Delay(_context.AskEvery, ended).ConfigureAwait(false);
                if (await _context.Probe.AskAsync(_service.Liveness ?? _service.Health, ended).ConfigureAwait(false))
                    lastAnswer = Uptime.Nanoseconds;
            }

            return $"did not answer for {_context.SilenceLimit.TotalSeconds} s";
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return "was stopped";
        }
    }

    private async Task WaitForAsync(HealthCheck check, CancellationToken ended)
    {
        while (!await _context.Probe.AskAsync(check, ended).ConfigureAwait(false))
            await Task.Delay(AskWhileStarting, ended).ConfigureAwait(false);
    }

    private SpawnSpec Describe()
    {
        Mounts.Mounter.MakeFolders(_service.WorkingDirectory);
        // Not earlier: the state disk is mounted over it meanwhile.
        Mounts.Mounter.MakeFolders(_context.Logs);
        return new SpawnSpec
        {
            Program = _service.Command[0],
            Arguments = [.. _service.Command.Skip(1)],
            Environment = [.. Tools.Tool.Environment, .. _service.Environment],
            WorkingDirectory = _service.WorkingDirectory,
            Stdout = Stdio.AppendTo(_log.Path),
            Stderr = Stdio.AppendTo(_log.Path),
            Cgroup = _context.Cgroups ? Cgroups.MakeService(_service.Name, _service.CpuWeight) : null,
        };
    }

    private void Report(StageState state, string? detail, GuestFault? fault = null) => _context.Reporter.Report(_stage, state, detail, fault);
}
