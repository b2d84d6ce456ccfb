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
    private readonly Lock _signals = new();
    private Task _life = Task.CompletedTask;
    private TaskCompletionSource _replaced = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ChildProcess? _healthy, _running;
    private int _pendingSignal;
    private bool _wasHealthy;

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

    /// <summary>Kills what runs of it, without waiting for anything: its cgroup, or where there is none its process group.</summary>
    public void Kill()
    {
        _ = _stopping.CancelAsync();
        if (_context.Cgroups)
            Cgroups.Kill($"{Cgroups.Services}/{_service.Name}");
        else
            Volatile.Read(ref _running)?.SignalGroup(Linux.SignalKill);
    }

    /// <summary>Sends a signal; one that is not healthy yet gets it when it is, since a program has no handler before it has begun.</summary>
    public void Signal(int signal)
    {
        lock (_signals)
        {
            if (_healthy is null)
                _pendingSignal = signal;
            else
                _healthy.Signal(signal);
        }
    }

    /// <summary>Ends the present run, if there is one, and begins the next without a pause.</summary>
    public void Replace() => Volatile.Read(ref _replaced).TrySetResult();

    /// <inheritdoc/>
    public void Dispose() => _stopping.Dispose();

    private async Task LiveAsync()
    {
        var (failures, restarts) = (0, 0);
        try
        {
            await WaitForConditionsAsync().ConfigureAwait(false);
            while (!_stopping.IsCancellationRequested)
            {
                var began = Uptime.Nanoseconds;
                // Before the program starts: a request for another run may come as soon as what it reads was changed.
                Volatile.Write(ref _replaced, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
                var (why, status) = await RunOnceAsync().ConfigureAwait(false);
                if (_stopping.IsCancellationRequested)
                    return;
                if (_replaced.Task.IsCompleted)
                    continue;
                failures = Uptime.Nanoseconds - began > _service.Restart.ForgetAfter.Ticks * 100 ? 1 : failures + 1;
                var pause = _service.Restart.PauseAfter(failures);
                Report(StageState.Failed, $"{why}; starting again in {pause.TotalSeconds:0.##} s", new GuestFault(
                    "guest.service-ended", $"{_service.Name} {why}. {_log.Tail()}".TrimEnd(), $"It is started again by itself; its log in the guest is {_log.Path}."), new ServiceEnd { ExitCode = status?.ShellCode, Restarts = ++restarts });
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
    /// <returns>How it ended, in words and as a status; none of the latter when it did not start.</returns>
    private async Task<(string Why, ExitStatus? Status)> RunOnceAsync()
    {
        ChildProcess child;
        try
        {
            foreach (var socket in _service.Sockets)
                File.Delete(socket);
            child = _context.Launcher.Start(Describe());
        }
        catch (Exception exception) when (exception is SpawnException or IOException or UnauthorizedAccessException)
        {
            return ("could not be started: " + exception.Message, null);
        }

        Volatile.Write(ref _running, child);
        Report(StageState.Started, $"runs as process {child.Pid}");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        // Completes only with a reason to end the program: it is to stop, or it does not answer any more.
        var health = WatchHealthAsync(child, ended.Token);
        var why = "ended with ";
        var first = await Task.WhenAny(child.Exit, health, _replaced.Task).ConfigureAwait(false);
        if (first != child.Exit)
        {
            why = (first == health ? await health.ConfigureAwait(false) : "was replaced") + " and ended with ";
            await TerminateAsync(child).ConfigureAwait(false);
        }

        var status = await child.Exit.ConfigureAwait(false);
        lock (_signals)
            _healthy = null;
        await ended.CancelAsync().ConfigureAwait(false);
        await health.ConfigureAwait(false);
        return (why + status, status);
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
    private async Task<string> WatchHealthAsync(ChildProcess child, CancellationToken ended)
    {
        try
        {
            if (_service.Reachable is { } reachable && !_wasHealthy)
                await WaitForAsync(reachable, ended).ConfigureAwait(false);
            _context.Board.Fulfil(new Condition.Answering(_service.Name));
            // The first start of a service is waited for as long as the whole start is: its user says how long. One that follows another has been here before.
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(ended);
            if (_wasHealthy)
                patience.CancelAfter(_context.SilenceLimit);
            try
            {
                await WaitForAsync(_service.Health, patience.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!ended.IsCancellationRequested)
            {
                return $"was not healthy within {_context.SilenceLimit.TotalSeconds} s of its start";
            }

            _wasHealthy = true;
            Report(StageState.Completed, null);
            BecomeHealthy(child);
            _context.Board.Fulfil(new Condition.Healthy(_service.Name));
            for (var lastAnswer = Uptime.Nanoseconds; Uptime.Nanoseconds - lastAnswer < _context.SilenceLimit.Ticks * 100;)
            {
                await Task.Delay(_context.AskEvery, ended).ConfigureAwait(false);
                if (_context.HeldStill() is { IsCompleted: false } held)
                {
                    await held.WaitAsync(ended).ConfigureAwait(false);
                    lastAnswer = Uptime.Nanoseconds;
                }

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

    private void BecomeHealthy(ChildProcess child)
    {
        lock (_signals)
        {
            _healthy = child;
            if (_pendingSignal != 0)
                child.Signal(_pendingSignal);
            _pendingSignal = 0;
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
            Environment = [.. Tools.Tool.Environment, .. _service.ReachesOut ? _context.OutsideEnvironment : [], .. _service.Environment],
            WorkingDirectory = _service.WorkingDirectory,
            Stdout = Stdio.AppendTo(_log.Path),
            Stderr = Stdio.AppendTo(_log.Path),
            Cgroup = _context.Cgroups ? Cgroups.MakeService(_service.Name, _service.CpuWeight) : null,
        };
    }

    private void Report(StageState state, string? detail, GuestFault? fault = null, ServiceEnd? ended = null) => _context.Reporter.Report(_stage, state, detail, fault, ended);
}
