using System.Globalization;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <summary>Longer than all rungs of an orderly shutdown together.</summary>
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(130);

    /// <summary>What holds an instance's lock while a stop looks after what is left.</summary>
    private const string Stopping = "stop";

    /// <summary>Longer than all rungs that a hurried one takes.</summary>
    private static readonly TimeSpan ForcedStopLimit = TimeSpan.FromSeconds(35);

    /// <inheritdoc/>
    public async Task StopAsync(string name, bool force = false, CancellationToken cancellationToken = default)
    {
        var files = FilesOfKnown(name);

        // To signal a command would cut off what it does, and stop nothing.
        if (InstanceLock.WorkerOf(files) is { Purpose: not Stopping })
            throw InstanceLock.Held(files, name);

        // Of starts whose supervisors have not taken the lock yet: those find nothing to do. Once before the lock is asked for, so that one that comes while it is held here knows why.
        StartRequests.TakeBack(files);
        if (InstanceLock.SupervisorOf(files) is { } supervisor)
            await StopSupervisorAsync(files, name, supervisor, force, cancellationToken).ConfigureAwait(false);

        // Whoever takes the lock now is alone with what is left: of a supervisor that was killed, mostly nothing.
        using var held = await InstanceLock.AcquireInTurnAsync(files, name, Stopping, cancellationToken).ConfigureAwait(false);
        StartRequests.TakeBack(files);
        var last = LastStatus(files);
        var ended = await InstanceRemains.EndProcessesAsync(last, cancellationToken).ConfigureAwait(false);
        InstanceRemains.RemoveRunFolder(files);
        new Snapshots.Snapshot(files).RemoveRemains();
        if (last is { Phase: not (InstancePhase.Stopped or InstancePhase.Failed or InstancePhase.Suspended) } || ended > 0)
            InstanceStore.WriteStatus(files, last! with { Phase = last.Phase == InstancePhase.Suspended ? InstancePhase.Suspended : InstancePhase.Stopped, Processes = new Dictionary<string, ProcessIdentity>() });
    }

    /// <inheritdoc/>
    public async Task DeleteAsync(string name, bool flatten = false, CancellationToken cancellationToken = default)
    {
        var files = FilesOfKnown(name);
        using (InstanceLock.Acquire(files, name, flatten ? "delete --flatten" : "delete"))
        {
            await DetachClonesAsync(files, name, flatten, cancellationToken).ConfigureAwait(false);
            await InstanceRemains.EndProcessesAsync(LastStatus(files), cancellationToken).ConfigureAwait(false);
            InstanceRemains.RemoveRunFolder(files);
            RemoveCredentials(name);

            // Under another name first: a delete that is interrupted leaves nothing that looks like an instance.
            var aside = AsideFolders.Create(files, "deleted");
            Directory.Move(files.Root, aside);
            Directory.Delete(aside, recursive: true);
        }
    }

    /// <summary>What clients were given: worth nothing once the cluster that made it is gone.</summary>
    private void RemoveCredentials(string name)
    {
        new GatewayRegistration(Options.Directories, name).Remove();
        Kubeconfig.Remove(Kubeconfig.PathFor(Options.Directories, name), name);
    }

    private InstanceFiles FilesOfKnown(string name)
    {
        var files = _store.Files(InstanceName.Parse(name));
        return Directory.Exists(files.Root) ? files : throw new FaultException(InstanceStore.Unknown(name));
    }

    private static async Task StopSupervisorAsync(InstanceFiles files, string name, ProcessIdentity supervisor, bool force, CancellationToken cancellationToken)
    {
        if (!await SupervisorCall.StopAsync(files, force, cancellationToken).ConfigureAwait(false))
        {
            // It does not answer (yet, or any more); SIGTERM means the same to it.
            ProcessIdentities.Signal(supervisor, Signals.Terminate);
        }

        var limit = force ? ForcedStopLimit : StopLimit;
        if (await InstanceRemains.HolderGoneAsync(files, supervisor, limit, cancellationToken).ConfigureAwait(false))
            return;
        if (!force)
        {
            throw new FaultException(new Fault
            {
                Code = "instance.stop-timeout",
                What = string.Create(CultureInfo.InvariantCulture, $"{name} did not stop within {limit.TotalSeconds:0} s (its supervisor is pid {supervisor.Pid})."),
                Remedy = "'gateway stop --force' ends it at once.",
                Log = files.SupervisorLog,
            });
        }

        ProcessIdentities.Signal(supervisor, Signals.Kill);
        await InstanceRemains.HolderGoneAsync(files, supervisor, limit, cancellationToken).ConfigureAwait(false);
    }
}
