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

    private static readonly TimeSpan FollowPause = TimeSpan.FromMilliseconds(30);

    /// <summary>After Ready all that is watched has been looked at once by then.</summary>
    private static readonly TimeSpan FirstLooks = TimeSpan.FromSeconds(25);

    /// <inheritdoc/>
    public async Task<InstanceStatus> StartDetachedAsync(InstanceConfig config, IReadOnlyList<string> supervisor, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default)
    {
        Validate(config);
        var files = _store.Files(InstanceName.Parse(config.Name));
        var request = files.StartRequest(Guid.NewGuid().ToString("N"));
        using (Take(files, config.Name))
        {
            var last = LastStatus(files);
            await InstanceRemains.EndProcessesAsync(last, cancellationToken).ConfigureAwait(false);
            RequireUsable(files, config.Name, last);
            RemoveRequests(files);

            // Whose configuration is stored, the supervisor that gets the lock decides: between here and there another start may come first. Until then it is listed with this one.
            AtomicFile.WriteJson(request, config, InstanceJson.Default.InstanceConfig, durable: false);
            if (!File.Exists(files.Config))
                InstanceStore.WriteConfig(files, config);

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
        var parsed = InstanceName.Parse(name);
        var files = _store.Files(parsed);
        try
        {
            var config = request is null ? _store.ReadConfig(parsed) : InstanceStore.TakeRequest(request);
            await using var instance = await RunAsync(config).ConfigureAwait(false);
            _ = GiveMemoryBackAsync(instance.Ready);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);

            // It has no terminal to lose; but who sends this by hand, or started it from one, means the same.
            using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);
            return await instance.Completion.ConfigureAwait(false);

            void Stop(PosixSignalContext context)
            {
                context.Cancel = true;
                _ = ((RestartingInstance)instance).StopAsync(force: false, context.Signal.ToString());
            }
        }
        catch (FaultException e) when (e.Faults[0].Code == InstanceLock.RunningCode)
        {
            // Nothing here is this start's to write into.
            return NotOurs;
        }
        catch (FaultException e)
        {
            // Already written if the supervisor came so far as to own the instance; whoever waits for the start reads it.
            if (!File.Exists(files.Fault))
                InstanceStore.WriteFaults(files, e.Faults);
            return 1;
        }
    }

    // A start needs more memory than what follows, which may be weeks. What watches a machine brings some of it back with its first look, and little with those after.
    private async Task GiveMemoryBackAsync(Task ready)
    {
        await ready.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        WorkingSet.Trim();
        await Task.Delay(FirstLooks, Options.Time).ConfigureAwait(false);
        WorkingSet.Trim();
    }

    // Those of starts that were killed before their supervisor had read them: whoever has the lock is alone.
    private static void RemoveRequests(InstanceFiles files)
    {
        foreach (var old in Directory.EnumerateFiles(files.Root, Path.GetFileName(files.StartRequest("*"))))
        {
            if (DateTime.UtcNow - File.GetLastWriteTimeUtc(old) > TimeSpan.FromHours(1))
                File.Delete(old);
        }
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
            return InstanceLock.AlreadyRunning(files, name);
        return InstanceStore.ReadFaults(files) is { Count: > 0 } faults
            ? new FaultException(faults)
            : new FaultException(new Fault
            {
                Code = "instance.supervisor-ended",
                What = $"The supervisor {reason} before the instance was ready.{supervisor.LastWords}",
                Remedy = "Its log may say why; try again.",
                Log = files.SupervisorLog,
            });
    }
}
