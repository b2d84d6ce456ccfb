using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Instances;

/// <summary>The instances of this host and user. Its parts are named by what they do: Run, Detached, Stop, Status, Plan.</summary>
public sealed partial class LocalInstances(InstancesOptions options) : IInstances
{
    private readonly InstanceStore _store = new(options.Directories);

    /// <summary>What it was made with.</summary>
    public InstancesOptions Options { get; } = options;

    /// <inheritdoc/>
    public async Task<IRunningInstance> RunAsync(InstanceConfig config, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default)
    {
        Validate(config);
        if (config.Mode == GuestMode.Exec)
            return new Supervisor(Options, config, EphemeralFolders.Create(Options.Directories), null, [], progress);

        var files = _store.Files(InstanceName.Parse(config.Name));
        var held = Take(files, config.Name);
        try
        {
            var last = LastStatus(files);
            await InstanceRemains.EndProcessesAsync(last, cancellationToken).ConfigureAwait(false);
            config = WithAddedPorts(OfItsDisk(config, files));
            InstanceStore.WriteConfig(files, config);
            File.Delete(files.Fault);
            return new Supervisor(Options, config, files, held, last?.Ports ?? [], progress);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Makes the instance's folders and takes its lock.</summary>
    private static InstanceLock Take(InstanceFiles files, string name)
    {
        InstanceStore.CreateFolders(files);
        var held = InstanceLock.Acquire(files, name);

        // Whoever held the lock until a moment ago removed the folder of the sockets as its last act.
        InstanceStore.CreateFolders(files);
        return held;
    }

    /// <summary>A disk is a distribution's: where none is named, an instance goes on with the one that it has.</summary>
    private InstanceConfig OfItsDisk(InstanceConfig config, InstanceFiles files)
    {
        if (config.Distribution is not (null or Distributions.DistributionChoice.Auto) || config.K3sBinary is not null || LastStatus(files)?.Distribution is not { } had)
            return config;
        if (!File.Exists(files.StateDiskOf(Planning.DiskFormat.Qcow2)) && !File.Exists(files.StateDiskOf(Planning.DiskFormat.Raw)))
            return config;
        return config with { Distribution = had, K3sBinary = had == Distributions.K3s.DistributionName ? LastConfig(config.Name)?.K3sBinary : null };
    }

    private InstanceConfig? LastConfig(string name)
    {
        try
        {
            return _store.ReadConfig(InstanceName.Parse(name));
        }
        catch (FaultException)
        {
            return null;
        }
    }

    private static void Validate(InstanceConfig config)
    {
        Fault[] faults = [.. InstanceValidator.Validate(config, Environment.ProcessorCount, HostMemory.TotalMib()), .. MountRules.Missing(config), .. RootDirectoryCheck.Faults(config), .. DeliveryFiles.Faults(config)];
        if (faults.Length > 0)
            throw new FaultException(faults);
    }

    private static InstanceStatus? LastStatus(InstanceFiles files)
    {
        try
        {
            return InstanceStore.ReadStatus(files);
        }
        catch (FaultException)
        {
            // Only a hint here; the next status replaces it.
            return null;
        }
    }
}
