using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <summary>After the answer the machine has ended but for its last words.</summary>
    private static readonly TimeSpan SuspendLimit = TimeSpan.FromSeconds(60);

    private static ReadOnlyMemory<byte> Nothing => default;

    /// <inheritdoc/>
    public async Task SuspendAsync(string name, CancellationToken cancellationToken = default)
    {
        var files = FilesOfKnown(name);
        if (InstanceLock.WorkerOf(files) is not null)
            throw InstanceLock.Held(files, name);
        if (InstanceLock.SupervisorOf(files) is not { } supervisor)
        {
            if (new Snapshot(files).Exists)
                return;
            throw NotRunning(name);
        }

        await AskAsync(files, name, SupervisorCall.SuspendService, Nothing, cancellationToken).ConfigureAwait(false);
        if (!await InstanceRemains.HolderGoneAsync(files, supervisor, SuspendLimit, cancellationToken).ConfigureAwait(false))
            throw new FaultException(new Fault { Code = "snapshot.not-ended", What = $"{name} was saved, and its supervisor (pid {supervisor.Pid}) has not ended.", Remedy = $"See its log; 'gateway stop --force --name {name}' ends it.", Log = files.SupervisorLog });
        if (LastStatus(files) is { Phase: InstancePhase.Failed, Fault: { } fault })
            throw new FaultException(fault);

        // Whoever stopped it at the same moment was first; one that was started since is not what this was about.
        if (LastStatus(files) is { Phase: not InstancePhase.Suspended } && InstanceLock.SupervisorOf(files) is null)
            throw new FaultException(new Fault { Code = "snapshot.ended", What = $"{name} was stopped while it was being suspended: its memory is not kept.", Remedy = $"What it has written is on its disk; 'gateway up --name {name}' starts it." });
    }

    /// <inheritdoc/>
    public Task PauseAsync(string name, CancellationToken cancellationToken = default) => AskRunningAsync(name, SupervisorCall.PauseService, cancellationToken);

    /// <inheritdoc/>
    public Task UnpauseAsync(string name, CancellationToken cancellationToken = default) => AskRunningAsync(name, SupervisorCall.UnpauseService, cancellationToken);

    /// <inheritdoc/>
    public Task<GoldenImage> BakeAsync(InstanceConfig config, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default)
    {
        Validate(config);
        return new GoldenBaker(Options).BakeAsync(config, progress, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<GoldenImage?> FindGoldenAsync(InstanceConfig config, CancellationToken cancellationToken = default)
    {
        Validate(config);
        return (await new GoldenBaker(Options).FindAsync(config, cancellationToken).ConfigureAwait(false)).Image;
    }

    /// <inheritdoc/>
    public async Task<InstanceStatus?> WakeAsync(string name, CancellationToken cancellationToken = default)
    {
        var files = FilesOfKnown(name);
        if (!IsAsleep(files))
            return null;
        await AskAsync(files, name, SupervisorCall.WakeService, Nothing, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            switch (StatusOf(name))
            {
                case { Phase: InstancePhase.Ready } ready:
                    return ready;
                case { Phase: InstancePhase.Failed or InstancePhase.Broken, Fault: { } fault }:
                    throw new FaultException(fault);
            }

            // Somebody had it stopped meanwhile.
            if (InstanceLock.SupervisorOf(files) is null)
                throw NotRunning(name);

            await Task.Delay(FollowPause, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Suspended, with a supervisor that waits for somebody to call.</summary>
    private static bool IsAsleep(InstanceFiles files) => LastStatus(files)?.Phase == InstancePhase.Suspended && InstanceLock.SupervisorOf(files) is not null;

    private async Task AskRunningAsync(string name, string service, CancellationToken cancellationToken)
    {
        var files = FilesOfKnown(name);
        if (InstanceLock.SupervisorOf(files) is null)
            throw NotRunning(name);
        await AskAsync(files, name, service, Nothing, cancellationToken).ConfigureAwait(false);
    }

    private static async Task AskAsync(InstanceFiles files, string name, string service, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        await using var supervisor = await GuestAgent.ConnectAsync(files.AgentSocket, cancellationToken: cancellationToken).ConfigureAwait(false);
        var answer = await supervisor.CallAsync(service, request, cancellationToken).ConfigureAwait(false);
        if (answer.Length > 0)
            throw new FaultException(JsonSerializer.Deserialize(answer, InstanceJson.Default.IReadOnlyListFault) ?? [InstanceStore.Broken(name, "its supervisor gave no answer")]);
    }

    private static FaultException NotRunning(string name) => new(new Fault
    {
        Code = "instance.not-running",
        What = $"Instance {name} is not running.",
        Remedy = $"Start it with 'gateway up --detach --name {name}'.",
    });
}
