using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Registry;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <inheritdoc/>
    public Task ResetAsync(string name, CancellationToken cancellationToken = default) => ResetAsync(name, _ => Task.CompletedTask, cancellationToken);

    /// <inheritdoc/>
    public async Task ResetForAsync(InstanceConfig config, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(config);
        Validate(config);
        await ResetAsync(config.Name, files => CheckAsync(config, files, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <param name="name">The instance.</param>
    /// <param name="check">Refuses, once nothing of the instance runs and holds its ports any more, and before anything is thrown away.</param>
    /// <param name="cancellationToken">Ends it.</param>
    private async Task ResetAsync(string name, Func<InstanceFiles, Task> check, CancellationToken cancellationToken)
    {
        var files = FilesOfKnown(name);
        using (InstanceLock.Acquire(files, name, "reset"))
        {
            RequireKnownFormat(name);
            await InstanceRemains.EndProcessesAsync(LastStatus(files), cancellationToken).ConfigureAwait(false);
            await check(files).ConfigureAwait(false);
            InstanceRemains.RemoveRunFolder(files);
            RemoveCredentials(name);

            // The status first: a disk that is gone while the status says that there was one would be a loss, not a wish.
            File.Delete(files.Status);
            var memory = new Snapshots.Snapshot(files);
            memory.Remove();
            memory.RemoveRemains();
            File.Delete(files.StateDisk);
            File.Delete(files.RawStateDisk);
            foreach (var file in new[] { files.Origin, files.Plan, files.Fault, files.Timeline, files.DeliveryDisk, files.DeliveryStamp, files.MemoryBase, files.Generation })
                File.Delete(file);

            // Bases on which clones stand stay.
            new DiskLineage(_store).RemoveUnused(files);
        }
    }

    /// <summary>Refuses a start that is to find an empty disk, and so is bound neither by the processor nor by the base image of what was on it.</summary>
    private async Task CheckAsync(InstanceConfig config, InstanceFiles files, CancellationToken cancellationToken)
    {
        if (config.Kernel is { } kernel && KernelFileCheck.Fault(kernel) is { } fault)
            throw new FaultException(fault);
        var (filled, _) = await FitAsync(WithAddedPorts(config with { BaseImage = config.BaseImage == BaseImageSource.None ? null : config.BaseImage }), cancellationToken).ConfigureAwait(false);
        _ = PortPlanner.Choose(filled, LastStatus(files)?.Ports ?? []);
    }
}
