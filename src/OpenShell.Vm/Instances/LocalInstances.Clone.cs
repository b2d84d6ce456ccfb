using System.Globalization;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <summary>From the machine's end to the clones and its going on: hashing its memory is what takes time.</summary>
    private static readonly TimeSpan NapLimit = TimeSpan.FromMinutes(2);

    /// <summary>One clone: <see cref="IInstances.CloneAsync"/>.</summary>
    public async Task<InstanceStatus> CloneAsync(string source, string destination, CancellationToken cancellationToken = default) =>
        (await CloneAsync(source, [destination], cancellationToken).ConfigureAwait(false))[0];

    /// <inheritdoc/>
    public async Task<IReadOnlyList<InstanceStatus>> CloneAsync(string source, IReadOnlyList<string> destinations, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destinations);
        var from = FilesOfKnown(source);
        foreach (var destination in destinations)
            InstanceCloner.RequireFree(_store.Files(InstanceName.Parse(destination)), destination);
        if (destinations.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new FaultException(InstanceValidator.Usage("instance.exists", $"{twice.Key} is named twice.", "Give each clone a name of its own."));

        if (InstanceLock.SupervisorOf(from) is null)
            await CloneAtRestAsync(from, source, destinations, cancellationToken).ConfigureAwait(false);
        else
            await CloneRunningAsync(from, source, destinations, cancellationToken).ConfigureAwait(false);
        return [.. destinations.Select(destination => StatusOf(destination)!)];
    }

    private async Task CloneAtRestAsync(InstanceFiles from, string source, IReadOnlyList<string> destinations, CancellationToken cancellationToken)
    {
        using var held = await TakeInTurnAsync(from, source, "clone", "It was started at this moment: try again.", cancellationToken).ConfigureAwait(false);
        var cloner = new InstanceCloner(Options);
        foreach (var destination in destinations)
            await cloner.CloneAsync(source, destination, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Its memory is saved, copies are made of it by its own supervisor, which holds its ports meanwhile, and it goes on: for its users a pause.</summary>
    private async Task CloneRunningAsync(InstanceFiles from, string source, IReadOnlyList<string> destinations, CancellationToken cancellationToken)
    {
        var slept = IsAsleep(from);
        if (!slept && LastStatus(from)?.Phase != InstancePhase.Ready)
        {
            throw new FaultException(new Fault
            {
                Code = "instance.running",
                What = $"Instance {source} is running, and not ready: its disk and its memory change.",
                Remedy = $"Wait until it is ready ('gateway status --name {source}'), let it go on if it is paused, or stop it with 'gateway stop --name {source}'.",
            });
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(NapLimit);
        try
        {
            await CloneInNapAsync(from, source, destinations, slept, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new FaultException(
                new Fault
                {
                    Code = "instance.clone-timeout",
                    What = string.Create(CultureInfo.InvariantCulture, $"{source} was not saved and cloned within {NapLimit.TotalMinutes:0} minutes; clones that were made by then are whole, and it goes on itself."),
                    Remedy = $"Try again when this machine is less busy, or suspend it first ('gateway suspend --name {source}'): clones of one that is suspended are made without a limit.",
                    Log = from.SupervisorLog,
                },
                e);
        }
    }

    private async Task CloneInNapAsync(InstanceFiles from, string source, IReadOnlyList<string> destinations, bool slept, CancellationToken cancellationToken)
    {
        if (!slept)
            await AskAsync(from, source, SupervisorCall.NapService, Nothing, cancellationToken).ConfigureAwait(false);
        try
        {
            while (!IsAsleep(from))
            {
                if (LastStatus(from) is { Phase: InstancePhase.Failed, Fault: { } fault })
                    throw new FaultException(fault);
                await Task.Delay(FollowPause, cancellationToken).ConfigureAwait(false);
            }

            foreach (var destination in destinations)
                await AskAsync(from, source, SupervisorCall.CloneService, System.Text.Encoding.UTF8.GetBytes(destination), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Whatever became of the clones. Of one that was asleep nobody asked for more.
            if (!slept && IsAsleep(from))
                await WakeAsync(source, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Refuses while clones stand on its disk; or makes each of them independent.</summary>
    private async Task DetachClonesAsync(InstanceFiles files, string name, bool flatten, CancellationToken cancellationToken)
    {
        var lineage = new DiskLineage(_store);
        var clones = lineage.ClonesOf(files);
        if (clones.Count > 0 && !flatten)
        {
            throw new FaultException(new Fault
            {
                Code = "instance.has-clones",
                What = $"The disks of {string.Join(", ", clones)} stand on that of {name}.",
                Remedy = $"Delete {(clones.Count == 1 ? "it" : "them")} first, or make {(clones.Count == 1 ? "it" : "them")} independent along with this: 'gateway delete --name {name} --flatten'.",
            });
        }

        // One whose disk cannot be read may stand on this one too.
        _ = lineage.NeededByOthers(files);
        var held = new List<InstanceLock>();
        try
        {
            // All of them before the first is copied: one that runs is told before the others have cost anything.
            foreach (var clone in clones)
                held.Add(await TakeAtRestAsync(FilesOfKnown(clone), clone, "delete --flatten", $"Stop it with 'gateway stop --name {clone}': its disk is to be copied.", cancellationToken).ConfigureAwait(false));
            foreach (var clone in clones)
                await ThinDisk.FlattenAsync(FilesOfKnown(clone), cancellationToken).ConfigureAwait(false);

            // A clone may have been the base of another.
            foreach (var clone in clones)
                lineage.RemoveUnused(FilesOfKnown(clone));
        }
        finally
        {
            held.ForEach(each => each.Dispose());
        }
    }

    /// <summary>Takes the lock of an instance whose disk is to be worked on, and which has no memory that belongs to it.</summary>
    private static async Task<InstanceLock> TakeAtRestAsync(InstanceFiles files, string name, string purpose, string remedy, CancellationToken cancellationToken)
    {
        var held = await TakeInTurnAsync(files, name, purpose, remedy, cancellationToken).ConfigureAwait(false);
        if (!new Snapshot(files).Exists)
            return held;
        held.Dispose();
        throw Suspended(name);
    }

    private static FaultException Suspended(string name) => new(new Fault
    {
        Code = "instance.suspended",
        What = $"Instance {name} is suspended: its memory goes with its disk as it is now, and would be lost.",
        Remedy = $"Let it go on with 'gateway up --detach --name {name}', stop it with 'gateway stop --name {name}', then try again.",
    });

    private static async Task<InstanceLock> TakeInTurnAsync(InstanceFiles files, string name, string purpose, string remedy, CancellationToken cancellationToken)
    {
        try
        {
            return await InstanceLock.AcquireInTurnAsync(files, name, purpose, cancellationToken).ConfigureAwait(false);
        }
        catch (FaultException e) when (e.Faults is [{ Code: InstanceLock.RunningCode } fault])
        {
            throw new FaultException(fault with { What = $"Instance {name} is running.", Remedy = remedy }, e);
        }
    }
}
