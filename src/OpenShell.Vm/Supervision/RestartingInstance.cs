using System.Globalization;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;

namespace OpenShell.Vm.Supervision;

/// <summary>
/// An instance over its runs: when one ends by itself and the policy says so, the next is started after a pause, by everything that a start by hand goes through. The instance's lock is held from
/// the first run to the last, so that nobody else takes it in between; what its user stops stays stopped, also during a pause.
/// </summary>
internal sealed partial class RestartingInstance : IRunningInstance
{
    private readonly InstanceConfig _config;
    private readonly InstanceFiles _files;
    private readonly InstanceLock _held;
    private readonly InstancesOptions _options;
    private readonly Func<RestartRule, Doorbell?, Supervisor> _start;
    private readonly Supervisor _first;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private Supervisor _current;
    private (bool Force, string ByWhom) _asked;

    /// <param name="options">As given to the library.</param>
    /// <param name="config">Of the first run.</param>
    /// <param name="files">Its files.</param>
    /// <param name="held">Its lock, which the last run gives back.</param>
    /// <param name="rule">Of the first run.</param>
    /// <param name="start">Starts a run; one that slept with what listens on its ports until it does itself.</param>
    /// <exception cref="FaultException">The first run cannot be started.</exception>
    internal RestartingInstance(InstancesOptions options, InstanceConfig config, InstanceFiles files, InstanceLock held, RestartRule rule, Func<RestartRule, Doorbell?, Supervisor> start)
    {
        (_options, _config, _files, _held, _start) = (options, config, files, held, start);
        _current = _first = Start(rule, null);
        Completion = RunAsync(rule);
    }

    /// <inheritdoc/>
    public Task<InstanceStatus> Ready => _first.Ready;

    /// <inheritdoc/>
    public Task<int> Completion { get; }

    /// <summary>The agent of the run of this moment.</summary>
    public Task<IGuestAgent> Agent => Current.Agent;

    /// <inheritdoc/>
    public Task<IGuestProcess> Process => Current.Process;

    private Supervisor Current
    {
        get
        {
            lock (_gate)
                return _current;
        }
    }

    /// <inheritdoc/>
    public Task StopAsync(bool force = false) => StopAsync(force, "this process");

    /// <summary>Stops it, and says in the log for whom.</summary>
    internal async Task StopAsync(bool force, string byWhom)
    {
        Supervisor current;
        lock (_gate)
        {
            _asked = (force, byWhom);
            current = _current;
        }

        // First: whatever comes of the run, there is no other.
        await _stopping.CancelAsync().ConfigureAwait(false);
        await current.StopAsync(force, byWhom).ConfigureAwait(false);
        await ((Task)Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Saves its machine for a golden image, and ends it.</summary>
    internal Task FreezeAsync(Planning.SavedMachine to, CancellationToken cancellationToken) => Current.FreezeAsync(to, cancellationToken);

    /// <summary>Stops it, if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Completion.IsCompleted)
            await StopAsync().ConfigureAwait(false);
        await Current.DisposeAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    /// <summary>Whoever asks a run to stop means the instance: also when the run is just ending by itself, and another would follow.</summary>
    private Supervisor Start(RestartRule rule, Doorbell? bell)
    {
        var run = _start(rule, bell);
        run.StopAsked = force => _ = Task.Run(() => StopAsync(force, "a client"), CancellationToken.None);
        return run;
    }

    private async Task<int> RunAsync(RestartRule rule)
    {
        while (true)
        {
            var current = Current;
            await ((Task)current.Completion).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (current.Sleep != Sleep.None)
            {
                rule = rule.Next(current.Status.ReadyAt) with { Restarts = rule.Restarts, Failures = 0 };
                if (!await SleepAsync(current, rule).ConfigureAwait(false))
                    return 0;

                // Asked for while it was waking.
                if (_stopping.IsCancellationRequested)
                    _ = Current.StopAsync(_asked.Force, _asked.ByWhom);
                continue;
            }

            if (current.Again is not { } pause)
                return await current.Completion.ConfigureAwait(false);

            rule = rule.Next(current.Status.ReadyAt);
            if (!await StartAgainAsync(current, rule, pause).ConfigureAwait(false))
                return 0;

            // Asked for while it was being started.
            if (_stopping.IsCancellationRequested)
                _ = Current.StopAsync(_asked.Force, _asked.ByWhom);
        }
    }

    /// <returns>Whether it was started; not, when somebody had it stopped meanwhile.</returns>
    private async Task<bool> StartAgainAsync(Supervisor ended, RestartRule rule, TimeSpan pause)
    {
        using var log = new SupervisorLog(_files.SupervisorLog, _options.Time);
        using var events = new EventLog(_files.Events, _config.Name, _options.Time, say: log.Say);
        var status = ended.Status;
        try
        {
            if (!await PauseAsync(pause).ConfigureAwait(false))
            {
                events.Report(EventNames.Stopping, $"asked to stop by {_asked.ByWhom}, before it was started again");
                events.Report(EventNames.Stopped, $"{_config.Name} has stopped");
                End(status with { Phase = InstancePhase.Stopped, Fault = null }, log);
                return false;
            }

            LostConsoles.Keep(_files);
            events.Report(EventNames.Restarted, string.Create(CultureInfo.InvariantCulture, $"{_config.Name} is started again by its policy {rule.Policy()}, {pause.TotalSeconds:0.#} s after it ended"), restarts: rule.Restarts);
            await ended.DisposeAsync().ConfigureAwait(false);
            var next = Start(rule, null);
            lock (_gate)
                _current = next;
            return true;
        }
        catch (Exception e) when (e is FaultException or IOException or UnauthorizedAccessException)
        {
            throw Fail(status, log, events, e);
        }
    }

    private FaultException Fail(InstanceStatus status, SupervisorLog log, EventLog events, Exception e)
    {
        var faults = e is FaultException known ? known.Faults : [SystemFaults.Translate(e) ?? InstanceStore.Broken(_files.Root, e.Message.TrimEnd('.'))];
        Try(() => InstanceStore.WriteFaults(_files, faults), log);
        events.Report(EventNames.Failed, faults[0].What, fault: faults[0].Code);
        End(status with { Phase = InstancePhase.Failed, Fault = faults[0] }, log);
        return e as FaultException ?? new FaultException(faults[0], e);
    }

    private Task<byte[]> AnswerStopAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        var forced = SupervisorCall.IsForced(request);
        _ = Task.Run(() => StopAsync(forced, "a client"), CancellationToken.None);
        return Task.FromResult<byte[]>([]);
    }

    /// <summary>Waits; somebody may still have it stopped.</summary>
    /// <returns>Whether nobody had.</returns>
    private async Task<bool> PauseAsync(TimeSpan pause)
    {
        await using var broker = AgentBroker.Start(_files.AgentSocket);
        broker.Register(SupervisorCall.StopService, AnswerStopAsync);
        try
        {
            await Task.Delay(pause, _options.Time, _stopping.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The last act: whatever cannot be written any more (a full disk), the instance is given back.</summary>
    private void End(InstanceStatus status, SupervisorLog log)
    {
        Try(() => InstanceRemains.RemoveRunFolder(_files), log);
        Try(() => InstanceStore.WriteStatus(_files, status with { Processes = new Dictionary<string, ProcessIdentity>() }), log);
        _held.Dispose();
    }

    private static void Try(Action step, SupervisorLog log)
    {
        try
        {
            step();
        }
        catch (Exception e) when (e is FaultException or IOException or UnauthorizedAccessException)
        {
            log.Say($"at the end: {e.Message}");
        }
    }
}
