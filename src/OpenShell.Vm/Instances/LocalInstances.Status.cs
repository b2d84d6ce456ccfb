using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <inheritdoc/>
    public Task<IReadOnlyList<InstanceStatus>> ListAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<InstanceStatus>>([.. _store.Names().Select(StatusOf).OfType<InstanceStatus>()]);

    /// <inheritdoc/>
    public Task<InstanceStatus?> FindAsync(string name, CancellationToken cancellationToken = default) =>
        Task.FromResult(StatusOf(InstanceName.Parse(name).Value));

    /// <inheritdoc/>
    public async Task<IGuestAgent> ConnectAsync(string name, CancellationToken cancellationToken = default)
    {
        var files = FilesOfKnown(name);
        return InstanceLock.HolderOf(files) is not null
            ? await GuestAgent.ConnectAsync(files.AgentSocket, cancellationToken: cancellationToken).ConfigureAwait(false)
            : throw new FaultException(new Fault
            {
                Code = "instance.not-running",
                What = $"Instance {name} is not running.",
                Remedy = $"Start it with 'gateway up --detach --name {name}'.",
            });
    }

    private InstanceStatus? StatusOf(string name)
    {
        try
        {
            var files = _store.Files(InstanceName.Parse(name));
            if (!Directory.Exists(files.Root))
                return null;
            var config = _store.ReadConfig(InstanceName.Parse(name));
            var written = InstanceStore.ReadStatus(files);
            return InstanceLock.HolderOf(files) is { } supervisor
                ? Running(config, written, supervisor)
                : AtRest(config, written, files);
        }
        catch (FaultException e) when (e.Faults[0].Code != "instance.name-invalid")
        {
            return new InstanceStatus { Name = name, Phase = InstancePhase.Broken, Fault = e.Faults[0] };
        }
    }

    /// <summary>The supervisor lives: what it wrote is true, if it was this one that wrote it.</summary>
    private static InstanceStatus Running(InstanceConfig config, InstanceStatus? written, ProcessIdentity supervisor) =>
        written is not null && written.Processes.GetValueOrDefault(Supervision.Roles.Supervisor) == supervisor
            ? written
            : Configured(config, InstancePhase.Starting) with { Processes = new Dictionary<string, ProcessIdentity> { [Supervision.Roles.Supervisor] = supervisor } };

    /// <summary>Nobody supervises it: either it ended in order, or its supervisor was killed.</summary>
    private static InstanceStatus AtRest(InstanceConfig config, InstanceStatus? written, InstanceFiles files)
    {
        if (written is null)
            return Configured(config, InstancePhase.Stopped);
        if (written.Phase is InstancePhase.Stopped or InstancePhase.Failed)
            return written;
        return written with
        {
            Phase = InstancePhase.Failed,
            Processes = written.Processes.Where(p => ProcessIdentities.IsAlive(p.Value)).ToDictionary(),
            Fault = new Fault
            {
                Code = "instance.supervisor-lost",
                What = $"The supervisor of {config.Name} ended without shutting it down.",
                Remedy = $"Start it again; 'gateway stop --name {config.Name}' ends what may be left of it.",
                Log = files.SupervisorLog,
            },
        };
    }

    private static InstanceStatus Configured(InstanceConfig config, InstancePhase phase) => new()
    {
        Name = config.Name,
        Phase = phase,
        Hypervisor = config.Hypervisor,
        Distribution = config.Distribution,
        Vcpus = config.Vcpus,
        MemoryMib = config.MemoryMib,
    };
}
