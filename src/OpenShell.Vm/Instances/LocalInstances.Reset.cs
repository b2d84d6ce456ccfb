using OpenShell.Vm.Disks;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <inheritdoc/>
    public async Task ResetAsync(string name, CancellationToken cancellationToken = default)
    {
        var files = FilesOfKnown(name);
        using (InstanceLock.Acquire(files, name))
        {
            await InstanceRemains.EndProcessesAsync(LastStatus(files), cancellationToken).ConfigureAwait(false);
            InstanceRemains.RemoveRunFolder(files);
            RemoveCredentials(name);

            // The status first: a disk that is gone while the status says that there was one would be a loss, not a wish.
            File.Delete(files.Status);
            new Snapshots.Snapshot(files).Remove();
            File.Delete(files.StateDisk);
            File.Delete(files.RawStateDisk);
            foreach (var file in new[] { files.Origin, files.Plan, files.Fault, files.Timeline, files.DeliveryDisk, files.Generation })
                File.Delete(file);

            // Bases on which clones stand stay.
            new DiskLineage(_store).RemoveUnused(files);
        }
    }
}
