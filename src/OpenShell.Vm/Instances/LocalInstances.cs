using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Registry;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Instances;

/// <summary>The instances of this host and user. Its parts are named by what they do: Run, Detached, Stop, Status, Plan, Edit, Reset, Clone, Disks.</summary>
public sealed partial class LocalInstances(InstancesOptions options) : IInstances
{
    private readonly InstanceStore _store = new(options.Directories);

    /// <summary>What it was made with.</summary>
    public InstancesOptions Options { get; } = options;

    /// <inheritdoc/>
    public async Task<IRunningInstance> RunAsync(InstanceConfig config, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default)
    {
        ValidateWithStored(config);
        if (config.Mode == GuestMode.Exec)
            return new Supervisor(Options, OfItsBaseImage(config), EphemeralFolders.Create(Options.Directories), null, [], progress);

        var files = _store.Files(InstanceName.Parse(config.Name));
        return await RunAsync(config, files, Take(files, config.Name), progress, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs an instance whose lock was taken, and gives that back if it cannot.</summary>
    private async Task<RestartingInstance> RunAsync(InstanceConfig config, InstanceFiles files, InstanceLock held, IProgress<TimelineEvent>? progress, CancellationToken cancellationToken)
    {
        try
        {
            var last = LastStatus(files);
            await InstanceRemains.EndProcessesAsync(last, cancellationToken).ConfigureAwait(false);
            new Snapshots.Snapshot(files).RemoveRemains();
            RequireUsable(files, config.Name, last);
            using (ConfigLock.Take(files))
            {
                // What the start does not say is as it is stored by now: nobody's change comes in between.
                config = WithAddedPorts(OfItsBaseImage(OfItsDisk(WithStored(config), files))) with { Format = InstanceFormat.Current };
                Validate(config);
                InstanceStore.WriteConfig(files, config with { Start = null });
            }

            // A machine that was lost left it, by whatever policy this start comes.
            if (last is { Phase: not (InstancePhase.Stopped or InstancePhase.Suspended) })
                LostConsoles.Keep(files);
            File.Delete(files.Fault);
            var rule = new RestartRule(() => LastConfig(config.Name)?.Restart ?? RestartPolicies.No, Options.RestartBackoff, Options.Time) { WasReady = Options.RestartsFirstStart };
            return new RestartingInstance(Options, config, files, held, rule, (next, bell) =>
                bell is not null ? new Supervisor(Options, AfterSleep(config), files, held, LastStatus(files)?.Ports ?? [], progress, next, bell)
                : next.Restarts == 0 ? new Supervisor(Options, config, files, held, last?.Ports ?? [], progress, next)
                : StartAgain(files, config.Name, held, next));
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>It goes on as what it was started as, with the ports of now: by those it was called.</summary>
    private InstanceConfig AfterSleep(InstanceConfig config) =>
        LastConfig(config.Name) is { } last ? config with { Start = null, Ports = last.Ports, AddedPorts = last.AddedPorts } : config with { Start = null };

    /// <summary>A start by policy: by what is stored now, which may have been changed while it ran.</summary>
    private Supervisor StartAgain(InstanceFiles files, string name, InstanceLock held, RestartRule rule)
    {
        var last = LastStatus(files);
        RequireUsable(files, name, last);
        InstanceStore.CreateFolders(files);
        File.Delete(files.Fault);
        return new Supervisor(Options, _store.ReadConfig(InstanceName.Parse(name)), files, held, last?.Ports ?? [], null, rule);
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

    /// <summary>What cannot be read, or is another version's, is not written over: it may be all that tells what is on the disk.</summary>
    private void RequireUsable(InstanceFiles files, string name, InstanceStatus? last) => RequireUsable(Options, files, name, last);

    internal static void RequireUsable(InstancesOptions options, InstanceFiles files, string name, InstanceStatus? last)
    {
        var store = new InstanceStore(options.Directories);
        if (store.HasConfig(InstanceName.Parse(name)))
            _ = store.ReadConfig(InstanceName.Parse(name));
        _ = InstanceStore.ReadOrigin(files);
        StateDisk.RequireWhole(files, last);
        if (HasDisk(files))
            new Bootstrap.GatewayRegistration(options.Directories, name).RequireClock(options.Time.GetUtcNow());
    }

    /// <summary>What another version made, this one neither changes nor throws away.</summary>
    private void RequireKnownFormat(string name)
    {
        try
        {
            _ = _store.ReadConfig(InstanceName.Parse(name));
        }
        catch (FaultException e) when (e.Faults[0].Code is not (InstanceFormat.NewerCode or InstanceFormat.OlderCode))
        {
            // No version can make anything of it.
        }
    }

    /// <summary>A disk is a distribution's and a processor's: where none is named, an instance goes on with those that it has.</summary>
    /// <exception cref="FaultException">Another processor is named than the one that the disk is of.</exception>
    private InstanceConfig OfItsDisk(InstanceConfig config, InstanceFiles files)
    {
        if (!HasDisk(files))
            return config;
        var last = LastConfig(config.Name);
        var had = last?.Architecture ?? Architectures.Host;
        if (last is not null && (config.Architecture ?? had) != had)
        {
            throw new FaultException(InstanceValidator.Usage(
                "instance.architecture",
                $"--arch {config.Architecture}: what the instance '{config.Name}' keeps on its disk is of {had}; the images of its containers do not run on another processor.",
                $"Leave --arch out, give another --name, or throw the instance's data away with 'gateway delete{(config.Name == InstanceName.Default ? "" : $" --name {config.Name}")}'."));
        }

        config = config with { Architecture = config.Architecture ?? last?.Architecture };
        if (config.Distribution is not (null or Distributions.DistributionChoice.Auto) || config.K3sBinary is not null || LastStatus(files)?.Distribution is not { } distribution)
            return config;
        return config with { Distribution = distribution, K3sBinary = distribution == Distributions.K3s.DistributionName ? last?.K3sBinary : null };
    }

    /// <summary>What an instance was made of, it stays made of: where no base image is named, the one that it had last. <see cref="BaseImageSource.None"/> goes back to packages.</summary>
    private InstanceConfig OfItsBaseImage(InstanceConfig config) => config switch
    {
        { BaseImage: BaseImageSource.None } => config with { BaseImage = null },
        { BaseImage: null, Mode: GuestMode.Cluster, Pinned: null, RootDirectory: null } when HasDisk(_store.Files(InstanceName.Parse(config.Name))) => config with { BaseImage = LastConfig(config.Name)?.BaseImage },
        _ => config,
    };

    private static bool HasDisk(InstanceFiles files) => File.Exists(files.StateDiskOf(Planning.DiskFormat.Qcow2)) || File.Exists(files.StateDiskOf(Planning.DiskFormat.Raw));

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

    /// <summary>A start's own words and, where it leaves something out, what is stored.</summary>
    /// <exception cref="FaultException">It repeats the last start of an instance of which nothing is stored.</exception>
    private InstanceConfig WithStored(InstanceConfig asked) =>
        asked.Mode == GuestMode.Exec ? asked : StoredConfig.Complete(asked, asked.Repeats ? _store.ReadConfig(InstanceName.Parse(asked.Name)) : LastConfig(asked.Name));

    /// <summary>What is wrong with it, before anything is made or taken for it.</summary>
    private void ValidateWithStored(InstanceConfig asked)
    {
        // Its name leads to what is stored; by itself, what it leaves out would be taken for what a new instance gets.
        if (!InstanceName.TryParse(asked.Name, out _, out _))
            Validate(asked);
        Validate(WithStored(asked));
    }

    private static void Validate(InstanceConfig config)
    {
        Fault[] faults = [.. InstanceValidator.Validate(config, Environment.ProcessorCount, HostMemory.TotalMib()), .. MountRules.Missing(config), .. RootDirectoryCheck.Faults(config), .. DeliveryFiles.Faults(config), .. GivenK3s.Faults(config)];
        if (faults.Length > 0)
            throw new FaultException(faults);
    }

    internal static InstanceStatus? LastStatus(InstanceFiles files)
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
