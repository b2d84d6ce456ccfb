using System.Collections;
using System.Runtime.InteropServices;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    private static readonly TimeSpan FollowPause = TimeSpan.FromMilliseconds(30);

    /// <inheritdoc/>
    public async Task<InstanceStatus> StartDetachedAsync(InstanceConfig config, IReadOnlyList<string> supervisor, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default)
    {
        Validate(config);
        var files = _store.Files(InstanceName.Parse(config.Name));
        using (Take(files, config.Name))
        {
            await InstanceRemains.EndProcessesAsync(LastStatus(files), cancellationToken).ConfigureAwait(false);
            InstanceStore.WriteConfig(files, WithAddedPorts(OfItsDisk(config, files)));

            // What is followed below is to be of this start.
            File.Delete(files.Fault);
            File.Delete(files.Timeline);
        }

        var child = ChildProcess.StartIndependent(new LaunchSpec
        {
            Title = "The supervisor",
            Program = supervisor[0],
            Arguments = [.. supervisor.Skip(1)],
            Environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? ""),
            LogFile = files.SupervisorLog,
        });
        try
        {
            return await FollowAsync(files, child, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await StopAsync(config.Name, force: false, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// The body of the supervisor that <see cref="StartDetachedAsync"/> starts: runs the stored configuration of that name, stops it in order on SIGTERM or
    /// SIGINT, and returns the process's exit code once nothing of the instance is left.
    /// </summary>
    public async Task<int> SuperviseAsync(string name)
    {
        var parsed = InstanceName.Parse(name);
        var files = _store.Files(parsed);
        try
        {
            await using var instance = await RunAsync(_store.ReadConfig(parsed)).ConfigureAwait(false);
            using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
            using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
            return await instance.Completion.ConfigureAwait(false);

            void Stop(PosixSignalContext context)
            {
                context.Cancel = true;
                _ = ((Supervisor)instance).StopAsync(force: false, context.Signal.ToString());
            }
        }
        catch (FaultException e)
        {
            // Already written if the supervisor came so far as to own the instance; whoever waits for the start reads it.
            if (!File.Exists(files.Fault))
                InstanceStore.WriteFaults(files, e.Faults);
            return 1;
        }
    }

    private static async Task<InstanceStatus> FollowAsync(InstanceFiles files, ChildProcess supervisor, IProgress<TimelineEvent>? progress, CancellationToken cancellationToken)
    {
        using var timeline = new TimelineReader(files.Timeline);
        while (true)
        {
            // Read first whether it has ended: then nothing is written after what is read below.
            var ended = supervisor.Exited.IsCompleted;
            foreach (var happened in timeline.ReadNew())
                progress?.Report(happened);
            if (ended)
                throw await EndedAsync(files, supervisor).ConfigureAwait(false);
            if (LastStatus(files) is { Phase: InstancePhase.Ready } status && status.Processes.GetValueOrDefault(Roles.Supervisor) == supervisor.Identity)
                return status;
            await Task.Delay(FollowPause, cancellationToken).ConfigureAwait(false);
        }
    }

    private static async Task<FaultException> EndedAsync(InstanceFiles files, ChildProcess supervisor)
    {
        var reason = await supervisor.Exited.ConfigureAwait(false);
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
