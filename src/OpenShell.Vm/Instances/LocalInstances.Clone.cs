using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <inheritdoc/>
    public async Task<InstanceStatus> CloneAsync(string source, string destination, CancellationToken cancellationToken = default)
    {
        var from = FilesOfKnown(source);
        var to = _store.Files(InstanceName.Parse(destination));
        RequireFree(to, destination);
        using (TakeAtRest(from, source, $"Stop it with 'gateway stop --name {source}': a clone is made of a disk that does not change."))
        {
            var config = _store.ReadConfig(InstanceName.Parse(source));
            var last = LastStatus(from);
            RequireUsable(from, source, last);

            var aside = AsideFolders.Create(from, "making");
            PrivateFolder.Ensure(aside);
            try
            {
                await ThinDisk.CopyToAsync(from, aside, cancellationToken).ConfigureAwait(false);
                InstanceStore.WriteOrigin(Path.Combine(aside, Path.GetFileName(to.Origin)), new InstanceOrigin
                {
                    Source = source,
                    ClonedAt = Options.Time.GetUtcNow(),
                    NodeName = InstanceStore.ReadOrigin(from)?.NodeName ?? source,
                    Identity = Guid.NewGuid().ToString("N"),
                });
                InstanceStore.WriteConfigTo(Path.Combine(aside, Path.GetFileName(to.Config)), ForClone(config, last, destination));
                Images.Cache.HostFiles.SyncFolder(aside);

                // In one step: a clone that is interrupted was never there. Two at one instant: the second finds the first's folder.
                Directory.Move(aside, to.Root);
            }
            catch (IOException) when (Directory.Exists(to.Root) && Directory.Exists(aside))
            {
                RequireFree(to, destination);
                throw;
            }
            finally
            {
                if (Directory.Exists(aside))
                    Directory.Delete(aside, recursive: true);
            }
        }

        return StatusOf(destination)!;
    }

    /// <summary>Ports belong to one instance; a disk is of a distribution, which the clone's own status cannot tell yet.</summary>
    private static InstanceConfig ForClone(InstanceConfig config, InstanceStatus? last, string name) => config with
    {
        Name = name,
        GatewayPort = null,
        Ports = [.. config.Ports.Select(p => p with { HostPort = 0 })],
        Distribution = last?.Distribution ?? config.Distribution,
    };

    private static void RequireFree(InstanceFiles files, string name)
    {
        if (Directory.Exists(files.Root))
        {
            throw new FaultException(new Fault
            {
                Code = "instance.exists",
                What = $"There is an instance {name} already.",
                Remedy = $"Give another name, or delete that one first with 'gateway delete --name {name}'.",
            });
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

        var held = new List<InstanceLock>();
        try
        {
            // All of them before the first is copied: one that runs is told before the others have cost anything.
            foreach (var clone in clones)
                held.Add(TakeAtRest(FilesOfKnown(clone), clone, $"Stop it with 'gateway stop --name {clone}': its disk is to be copied."));
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

    /// <summary>Takes the lock of an instance whose disk is to be worked on.</summary>
    private static InstanceLock TakeAtRest(InstanceFiles files, string name, string remedy)
    {
        InstanceLock held;
        try
        {
            held = InstanceLock.Acquire(files, name);
        }
        catch (FaultException e) when (e.Faults is [{ Code: InstanceLock.RunningCode } fault])
        {
            throw new FaultException(fault with { What = $"Instance {name} is running.", Remedy = remedy }, e);
        }

        if (!new Snapshot(files).Exists)
            return held;
        held.Dispose();
        throw new FaultException(new Fault
        {
            Code = "instance.suspended",
            What = $"Instance {name} is suspended: its memory goes with its disk as it is now, and would be lost.",
            Remedy = $"Let it go on with 'gateway up --detach --name {name}', stop it with 'gateway stop --name {name}', then try again.",
        });
    }
}
