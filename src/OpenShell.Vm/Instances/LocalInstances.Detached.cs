using System.Collections;
using System.Runtime.InteropServices;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <summary>The exit code of a supervisor that found another in its place (EX_TEMPFAIL of sysexits.h); a unit that starts one is not to try again.</summary>
    public const int NotOurs = 75;

    /// <summary>The exit code of a supervisor whose start was taken back by a stop before it had the instance.</summary>
    internal const int TakenBack = 76;

    private static readonly TimeSpan FollowPause = TimeSpan.FromMilliseconds(30);

    /// <summary>After Ready all that is watched has been looked at once by then.</summary>
    private static readonly TimeSpan FirstLooks = TimeSpan.FromSeconds(25);

    /// <inheritdoc/>
    public async Task<InstanceStatus> StartDetachedAsync(InstanceConfig config, IReadOnlyList<string> supervisor, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default)
    {
        ValidateWithStored(config);
        var files = _store.Files(InstanceName.Parse(config.Name));
        var request = files.StartRequest(Guid.NewGuid().ToString("N"));
        using (Take(files, config.Name))
        {
            var last = LastStatus(files);
            await InstanceRemains.EndProcessesAsync(last, cancellationToken).ConfigureAwait(false);
            RequireUsable(files, config.Name, last);
            StartRequests.RemoveOld(files);

            // What was asked for, no more: what it means with what is stored, and whose is stored, the supervisor that gets the lock decides. Between here and there the configuration may be
            // changed, and another start may come first. Until then it is listed with this one.
            AtomicFile.WriteJson(request, config, InstanceJson.Default.InstanceConfig, durable: false);
            using (ConfigLock.Take(files))
            {
                if (!File.Exists(files.Config))
                    InstanceStore.WriteConfig(files, StoredConfig.Complete(config, null) with { Start = null });
            }

            // What is followed below is to be of this start.
            File.Delete(files.Fault);
            File.Delete(files.Timeline);
        }

        var child = ChildProcess.StartIndependent(new LaunchSpec
        {
            Title = "The supervisor",
            Program = supervisor[0],
            Arguments = [.. supervisor.Skip(1), request],
            Environment = SupervisorSettings.Over(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "")),
            LogFile = files.SupervisorLog,
        });
        try
        {
            return await FollowAsync(files, config.Name, child, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await StopAsync(config.Name, force: false, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// The body of the supervisor that <see cref="StartDetachedAsync"/> starts: runs the stored configuration of that name, stops it in order on SIGTERM,
    /// SIGINT or SIGHUP, and returns the process's exit code once nothing of the instance is left.
    /// </summary>
    /// <param name="name">The instance.</param>
    /// <param name="request">The file with what to run, which is then removed; <see langword="null"/>: the stored configuration.</param>
    public async Task<int> SuperviseAsync(string name, string? request = null)
    {
        var files = _store.Files(InstanceName.Parse(name));

        // Heard from here on: who stops the instance in the moment in which this takes it has only this to tell it by.
        var interrupted = 0;
        var begun = new TaskCompletionSource<RestartingInstance>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

        // It has no terminal to lose; but who sends this by hand, or started it from one, means the same.
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
        try
        {
            await using var instance = await BeginAsync(files, name, request).ConfigureAwait(false);
            begun.SetResult(instance);
            _ = GiveMemoryBackAsync(instance.Ready);
            return await instance.Completion.ConfigureAwait(false);
        }
        catch (FaultException e) when (e.Faults[0].Code is InstanceLock.RunningCode or InstanceLock.BusyCode or StartRequests.StoppedCode)
        {
            // Nothing here is this start's to write into. Whoever has it may be the one that took this start back.
            return request is not null && !File.Exists(request) ? TakenBack : NotOurs;
        }
        catch (FaultException e)
        {
            // Already written if the supervisor came so far as to own the instance; whoever waits for the start reads it.
            if (!File.Exists(files.Fault))
                InstanceStore.WriteFaults(files, e.Faults);
            return 1;
        }
        finally
        {
            StartRequests.Remove(request);
        }

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;

            // As at a terminal: a second SIGINT means now. Others come several times for one end: of a session, by a service manager.
            var force = context.Signal == PosixSignal.SIGINT && Interlocked.Exchange(ref interrupted, 1) == 1;
            _ = StopOnceBegunAsync(force, context.Signal.ToString());
        }

        async Task StopOnceBegunAsync(bool force, string byWhom) => await (await begun.Task.ConfigureAwait(false)).StopAsync(force, byWhom).ConfigureAwait(false);
    }

    private async Task<RestartingInstance> BeginAsync(InstanceFiles files, string name, string? request)
    {
        if (request is null)
            return (RestartingInstance)await RunAsync(new InstanceConfig { Name = name, Repeats = true }).ConfigureAwait(false);

        // An instance that was deleted meanwhile is not to come back.
        if (!File.Exists(request))
            throw StartRequests.Stopped(name);
        var held = Take(files, name);
        InstanceConfig config;
        try
        {
            config = StartRequests.Take(request, name);
            ValidateWithStored(config);
        }
        catch
        {
            held.Dispose();
            throw;
        }

        return await RunAsync(config, files, held, progress: null, CancellationToken.None).ConfigureAwait(false);
    }

    // A start needs more memory than what follows, which may be weeks. What watches a machine brings some of it back with its first look, and little with those after.
    private async Task GiveMemoryBackAsync(Task ready)
    {
        await ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        WorkingSet.Trim();
        await Task.Delay(FirstLooks, Options.Time).ConfigureAwait(false);
        WorkingSet.Trim();
    }

    private static async Task<InstanceStatus> FollowAsync(InstanceFiles files, string name, ChildProcess supervisor, IProgress<TimelineEvent>? progress, CancellationToken cancellationToken)
    {
        using var timeline = new TimelineReader(files.Timeline);
        while (true)
        {
            // Read first whether it has ended: then nothing is written after what is read below.
            var ended = supervisor.Exited.IsCompleted;
            foreach (var happened in timeline.ReadNew())
                progress?.Report(happened);
            if (ended)
                throw await EndedAsync(files, name, supervisor).ConfigureAwait(false);
            if (LastStatus(files) is { Phase: InstancePhase.Ready } status && status.Processes.GetValueOrDefault(Roles.Supervisor) == supervisor.Identity)
                return status;
            await Task.Delay(FollowPause, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<FaultException> EndedAsync(InstanceFiles files, string name, ChildProcess supervisor)
    {
        var reason = await supervisor.Exited.ConfigureAwait(false);
        if (reason.Code == NotOurs)
            return InstanceLock.Held(files, name);
        if (reason.Code == TakenBack)
            return StartRequests.Stopped(name);
        if (InstanceStore.ReadFaults(files) is { Count: > 0 } faults)
            return new FaultException(faults);

        // In order and without a fault, but never ready: somebody had it stopped.
        return reason.Code == 0
            ? StartRequests.Stopped(name)
            : new FaultException(new Fault
            {
                Code = "instance.supervisor-ended",
                What = $"The supervisor {reason} before the instance was ready.{supervisor.LastWords}",
                Remedy = "Its log may say why; try again.",
                Log = files.SupervisorLog,
            });
    }
}
