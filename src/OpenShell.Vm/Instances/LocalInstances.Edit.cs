using OpenShell.Vm.Faults;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <inheritdoc/>
    public Task<InstanceConfig?> ConfigAsync(string name, CancellationToken cancellationToken = default)
    {
        var parsed = InstanceName.Parse(name);
        return Task.FromResult(_store.HasConfig(parsed) ? _store.ReadConfig(parsed) : null);
    }

    /// <inheritdoc/>
    public Task<InstanceConfig> EditAsync(string name, Func<InstanceConfig, InstanceConfig> change, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(change);
        _ = FilesOfKnown(name);
        return Task.FromResult(_store.ChangeConfig(InstanceName.Parse(name), stored =>
        {
            var config = change(stored) with { Name = name };

            // Not what it is given along: whether those files are there matters at the start that wants them.
            return InstanceValidator.Validate(config, Environment.ProcessorCount, HostMemory.TotalMib()) is { Count: > 0 } faults ? throw new FaultException(faults) : config;
        }));
    }
}
