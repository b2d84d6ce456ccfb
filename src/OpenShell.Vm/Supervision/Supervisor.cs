using System.Globalization;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Logs;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Supervision;

/// <summary>
/// Runs one instance from its start to its end. This part is the whole life in outline; the others are named by their concern: Boot, Network, Power, Agent,
/// Cluster, Watch, TearDown.
/// </summary>
internal sealed partial class Supervisor : IRunningInstance
{
    private readonly InstancesOptions _options;
    private readonly InstanceFiles _files;
    private readonly InstanceLock? _lock;
    private readonly IReadOnlyList<PortForward> _lastPorts;
    private readonly TimelineRecorder _timeline;
    private readonly SupervisorLog _log;
    private readonly EventLog _events;
    private readonly StatusBoard _status;
    private readonly LogKeeper _logs;

    private readonly TaskCompletionSource<InstanceStatus> _ready = NewSource<InstanceStatus>();
    private readonly TaskCompletionSource<IGuestAgent> _agent = NewSource<IGuestAgent>();
    private readonly TaskCompletionSource<IGuestProcess> _process = NewSource<IGuestProcess>();
    private readonly TaskCompletionSource<Ending> _ending = NewSource<Ending>();

    // Cancelled when the run is to end: everything that the boot waits for waits with it.
    private readonly CancellationTokenSource _running = new();

    // Cancelled when the user has lost patience with an orderly stop.
    private readonly CancellationTokenSource _hurry = new();

    private readonly RestartRule? _restart;
    private InstanceOrigin? _origin;
    private InstanceConfig _config;

    // Known once the host was looked at.
    private volatile string? _hypervisor;

    /// <param name="options">As given to the library.</param>
    /// <param name="config">Validated.</param>
    /// <param name="files">Their folders are there.</param>
    /// <param name="instanceLock">Held from now on, and given back at the end; none for a program's VM.</param>
    /// <param name="lastPorts">The forwards of its last run.</param>
    /// <param name="progress">Told of each event.</param>
    /// <param name="restart">Whether the instance is started again after this run: then its lock is kept. None: it is not.</param>
    /// <param name="waking">Listens on its ports until this run does, since it slept; whoever has it disposes of it. None: it did not.</param>
    internal Supervisor(
        InstancesOptions options, InstanceConfig config, InstanceFiles files, InstanceLock? instanceLock, IReadOnlyList<PortForward> lastPorts, IProgress<TimelineEvent>? progress, RestartRule? restart = null, Doorbell? waking = null)
    {
        _restart = restart;
        _waking = waking;
        _options = options;
        _config = config;
        _files = files;
        _lock = instanceLock;
        _origin = instanceLock is null ? null : InstanceStore.ReadOrigin(files);
        _lastPorts = lastPorts;
        _resumes = ResumesUnderWay.Of(options.Directories, options.Time);
        _held = CancellationTokenSource.CreateLinkedTokenSource(_running.Token);
        var kept = instanceLock is not null;
        _timeline = new TimelineRecorder(kept ? files.Timeline : null, progress, options.Time);
        _log = new SupervisorLog(kept ? files.SupervisorLog : null, options.Time);
        _events = new EventLog(kept ? files.Events : null, config.Name, options.Time, say: _log.Say);
        _logs = new LogKeeper(() => LogKeeper.LogsOf(files, _hypervisor), LogLimits.Default);
        _status = new StatusBoard(files, FirstStatus(config), kept);
        _timeline.Changed += () => _status.Change(status => status with { Stages = _timeline.Stages });
        Completion = RunAsync();
    }

    /// <inheritdoc/>
    public Task<InstanceStatus> Ready => _ready.Task;

    /// <inheritdoc/>
    public Task<int> Completion { get; }

    /// <inheritdoc/>
    public Task<IGuestAgent> Agent => _agent.Task;

    /// <inheritdoc/>
    public Task<IGuestProcess> Process => _process.Task;

    /// <summary>Cancelled when the run is to end.</summary>
    internal CancellationToken Ended => _running.Token;

    /// <summary>Once <see cref="Completion"/> has completed: the pause after which the instance is to be started again; <see langword="null"/>: it is not.</summary>
    internal TimeSpan? Again { get; private set; }

    /// <summary>Once <see cref="Completion"/> has completed: whether it was suspended, and is to be woken.</summary>
    internal Sleep Sleep { get; private set; }

    /// <summary>Is told when a client asks for the end, and whether by force; <see langword="null"/>: this run ends.</summary>
    internal Action<bool>? StopAsked { get; set; }

    /// <summary>Listens on its ports while it sleeps; whoever goes on with it disposes of it.</summary>
    internal Doorbell? Bell { get; private set; }

    /// <summary>Whether there will be another run in this process: then the lock is kept.</summary>
    private bool GoesOn => Again is not null || Sleep != Sleep.None;

    /// <summary>The truth at this moment.</summary>
    internal InstanceStatus Status => _status.Now;

    /// <inheritdoc/>
    public Task StopAsync(bool force = false) => StopAsync(force, "this process");

    /// <summary>Stops it, and says in the log for whom.</summary>
    internal async Task StopAsync(bool force, string byWhom)
    {
        End(new Ending.Stopped(byWhom));

        // Asked twice is not in a hurry: two who stop it at one time mean it to end in order.
        if (force)
            await _hurry.CancelAsync().ConfigureAwait(false);

        // What came of it is told by Completion; here only that it is over.
        await ((Task)Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Stops it, if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Completion.IsCompleted)
            await StopAsync().ConfigureAwait(false);
        _held.Dispose();
        _running.Dispose();
        _hurry.Dispose();
    }

    private async Task<int> RunAsync()
    {
        // The constructor's caller gets its object at once.
        await Task.Yield();
        Ending ending;
        try
        {
            _events.Report(EventNames.Starting, string.Create(CultureInfo.InvariantCulture, $"{_config.Name} is being started, by pid {Environment.ProcessId}"));
            StartBroker();
            ending = await BootAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // A broken channel mostly follows from a process's end, which says more: give that the time to be noticed.
            if (_machine is { Leaving: false })
                await Task.WhenAny(_ending.Task, Task.Delay(Settle * 2)).ConfigureAwait(false);
            ending = _ending.Task.IsCompleted ? await _ending.Task.ConfigureAwait(false) : new Ending.Lost(FaultOf(e), e);
        }

        End(ending);
        HaveAnswered();
        return await FinishAsync(ending).ConfigureAwait(false);
    }

    /// <summary>The first ending is the one that counts; it ends every wait of the boot.</summary>
    /// <returns>Whether it was the first.</returns>
    private bool End(Ending ending)
    {
        if (!_ending.TrySetResult(ending))
            return false;
        if (ending is Ending.Stopped or Ending.PoweredOff)
            _events.Report(EventNames.Stopping, ending is Ending.Stopped by ? $"asked to stop by {by.ByWhom}" : "the guest has powered itself off");
        else
            _log.Say(SaidOf(ending));
        _running.Cancel();
        return true;
    }

    private static string SaidOf(Ending ending) => ending switch
    {
        Ending.ProgramEnded ended => string.Create(CultureInfo.InvariantCulture, $"the program has ended with {ended.ExitCode}"),
        Ending.Lost lost => $"{lost.Fault.Code}: {lost.Fault.What}" + (lost.Cause is { } cause and not FaultException ? $"\n{cause}" : ""),
        _ => ending.ToString(),
    };

    private Fault FaultOf(Exception e) => e switch
    {
        FaultException { Faults: [var fault, ..] } => fault with { Stage = fault.Stage ?? _timeline.CurrentStage },
        _ when SystemFaults.Translate(e) is { } fault => fault with { Stage = _timeline.CurrentStage },
        _ => new Fault
        {
            Code = "instance.internal",
            Stage = _timeline.CurrentStage,
            What = $"Unexpected: {e.GetType().Name}: {e.Message}",
            Remedy = "Try again; if it happens again, report it with supervisor.log.",
            Log = _lock is null ? null : _files.SupervisorLog,
        },
    };

    private InstanceStatus FirstStatus(InstanceConfig config) => new()
    {
        Name = config.Name,
        Phase = InstancePhase.Starting,
        StartedAt = _timeline.StartedAt,
        Mounts = config.Mounts,
        Restarts = _restart?.Restarts ?? 0,
        Processes = new Dictionary<string, ProcessIdentity> { [Roles.Supervisor] = ProcessIdentities.Current },
    };

    private bool IsCluster => _config.Mode == GuestMode.Cluster;

    private static TaskCompletionSource<T> NewSource<T>()
    {
        var source = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);

        // Whoever does not await it does not want to know of its failure.
        _ = source.Task.ContinueWith(static task => task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return source;
    }
}

/// <summary>The keys of <see cref="InstanceStatus.Processes"/>.</summary>
internal static class Roles
{
    internal const string Supervisor = "supervisor";
    internal const string Vmm = "vmm";
    internal const string Gvproxy = "gvproxy";
}
