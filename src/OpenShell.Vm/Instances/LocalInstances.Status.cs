using System.Globalization;
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
        if (IsAsleep(files))
            await WakeAsync(name, cancellationToken).ConfigureAwait(false);
        return InstanceLock.SupervisorOf(files) is not null
            ? await GuestAgent.ConnectAsync(files.AgentSocket, cancellationToken: cancellationToken).ConfigureAwait(false)
            : throw NotRunning(name);
    }

    private InstanceStatus? StatusOf(string name)
    {
        try
        {
            var files = _store.Files(InstanceName.Parse(name));
            if (!Directory.Exists(files.Root))
                return null;
            RequireReadable(files);

            // The whole configuration takes longer to read than all else here, and what a status was written after has been read by its writer.
            var config = new Lazy<InstanceConfig>(() => _store.ReadConfig(InstanceName.Parse(name)));
            if (!InstanceStore.IsOlderThanStatus(files, name))
                _ = config.Value;
            var written = InstanceStore.ReadStatus(files);
            var origin = InstanceStore.ReadOrigin(files);
            var status = InstanceLock.SupervisorOf(files) is { } supervisor
                ? Running(config, written, supervisor, files)
                : AtRest(config, written, files);
            return status with { CloneOf = origin?.Source };
        }
        catch (FaultException e) when (e.Faults[0].Code != "instance.name-invalid")
        {
            return Broken(name, e.Faults[0]);
        }
        catch (Exception e) when (SystemFaults.Translate(e) is { } fault)
        {
            return Broken(name, fault);
        }
        catch (IOException e)
        {
            return Broken(name, InstanceStore.Broken(name, e.Message.TrimEnd('.')));
        }

        // Whatever else is wrong with one, the others are shown.
        catch (Exception e) when (e is not FaultException)
        {
            return Broken(name, new Fault
            {
                Code = "instance.broken",
                What = $"What is kept of {name} cannot be made sense of: {e.GetType().Name}: {e.Message.TrimEnd('.')}.",
                Remedy = $"Put copies of its files back, begin anew with 'gateway reset --name {name}', which throws away what is on its disk, or delete it with 'gateway delete --name {name}'.",
            });
        }
    }

    private static InstanceStatus Broken(string name, Fault fault) => new() { Name = name, Phase = InstancePhase.Broken, Fault = fault };

    // A folder that may not be entered looks empty to File.Exists.
    private static void RequireReadable(InstanceFiles files) => _ = Directory.EnumerateFileSystemEntries(files.Root).Any();

    /// <summary>
    /// The supervisor lives: what it wrote is true, if it was this one that wrote it. But on a full disk it cannot write that the disk is full; and one that is held (SIGSTOP, a debugger) does not
    /// notice that its machine has ended.
    /// </summary>
    private static InstanceStatus Running(Lazy<InstanceConfig> config, InstanceStatus? written, ProcessIdentity supervisor, InstanceFiles files)
    {
        if (written is null || written.Processes.GetValueOrDefault(Supervision.Roles.Supervisor) != supervisor)
            return Configured(config.Value, InstancePhase.Starting) with { Processes = new Dictionary<string, ProcessIdentity> { [Supervision.Roles.Supervisor] = supervisor } };
        written = written with { Disks = [.. written.Disks.Select(disk => disk.Where == DiskSpace.Host ? Supervision.Watching.DiskWatch.OfHost(files.Root) : disk)] };
        return written.Phase is InstancePhase.Ready or InstancePhase.Paused && written.Processes.GetValueOrDefault(Supervision.Roles.Vmm) is { } vmm && !ProcessIdentities.IsAlive(vmm)
            ? written with { Phase = InstancePhase.Stopping, Processes = written.Processes.Where(p => p.Key != Supervision.Roles.Vmm).ToDictionary(), Fault = MachineGone(written.Name, vmm, supervisor, files) }
            : written;
    }

    private static Fault MachineGone(string name, ProcessIdentity vmm, ProcessIdentity supervisor, InstanceFiles files) => new()
    {
        Code = "vmm.ended",
        What = string.Create(CultureInfo.InvariantCulture, $"The machine of {name} (pid {vmm.Pid}) has ended; its supervisor (pid {supervisor.Pid}) has not said yet what comes of that."),
        Remedy = $"It does so within seconds. If it does not, it is held: 'gateway stop --force --name {name}' ends it.",
        Log = files.SupervisorLog,
    };

    /// <summary>Nobody supervises it: either it ended in order, or its supervisor was killed.</summary>
    private static InstanceStatus AtRest(Lazy<InstanceConfig> config, InstanceStatus? written, InstanceFiles files)
    {
        // A command that works on it may be replacing its disk at this moment.
        if (InstanceLock.WorkerOf(files) is null && Supervision.StateDisk.Missing(files, written) is { } missing)
            return Configured(config.Value, InstancePhase.Broken) with { Fault = missing };
        if (written is null)
            return Configured(config.Value, new Snapshots.Snapshot(files).Exists ? InstancePhase.Suspended : InstancePhase.Stopped);
        if (written.Phase is InstancePhase.Stopped or InstancePhase.Failed or InstancePhase.Suspended)
            return written;
        var alive = written.Processes.Where(p => p.Key != Supervision.Roles.Supervisor && ProcessIdentities.IsAlive(p.Value)).ToDictionary();
        var left = alive.Count == 0 ? "" : $" Of it still run: {string.Join(", ", alive.Select(p => $"{p.Key} (pid {p.Value.Pid})"))}.";
        return written with
        {
            Phase = InstancePhase.Failed,
            Processes = alive,
            Fault = new Fault
            {
                Code = "instance.supervisor-lost",
                What = $"The supervisor of {written.Name} ended without shutting it down.{left}",
                Remedy = $"Start it again; 'gateway stop --name {written.Name}' ends what may be left of it.",
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
