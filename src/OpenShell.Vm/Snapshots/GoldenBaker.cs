using System.Globalization;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Runtime;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Snapshots;

/// <summary>
/// Bakes a golden image: boots an instance from nothing in a folder of its own, waits until it is ready and quiet, saves its devices beside its memory, and freezes both with the disk.
/// Nobody sees it before all of it is on disk.
/// </summary>
internal sealed class GoldenBaker(InstancesOptions options)
{
    /// <summary>The name of the instance that becomes the image: nobody sees it.</summary>
    private const string Instance = "golden";

    /// <summary>The node's name in every instance of a golden image, whatever its own.</summary>
    internal const string NodeName = "openshell";

    private readonly GoldenStore _store = new(options.Directories);

    /// <summary>Which image a configuration asks for, and whether it is there.</summary>
    public async Task<(GoldenKey Key, GoldenImage? Image)> FindAsync(InstanceConfig config, CancellationToken cancellationToken)
    {
        var (key, _) = await KeyAsync(config, build: false, null, cancellationToken).ConfigureAwait(false);
        var hash = key.Hash();
        return (key, _store.List().FirstOrDefault(image => image.Hash == hash));
    }

    /// <summary>Bakes the image that a configuration asks for; returns at once the one that is there.</summary>
    /// <param name="config">What instances are to be asked for as.</param>
    /// <param name="progress">Told of the boot.</param>
    /// <param name="cancellationToken">Ends it; nothing is left.</param>
    public async Task<GoldenImage> BakeAsync(InstanceConfig config, IProgress<TimelineEvent>? progress, CancellationToken cancellationToken)
    {
        var (key, request) = await KeyAsync(config, build: true, progress, cancellationToken).ConfigureAwait(false);
        var hash = key.Hash();
        using var guard = await Guard.EnterAsync(_store.GuardOf(hash), null, cancellationToken).ConfigureAwait(false);
        if (Usable(hash) is { } there)
            return there;
        if (await _store.RenewAsync(hash, cancellationToken).ConfigureAwait(false))
            return Usable(hash)!;

        var building = _store.Building(hash);
        await ClearAsync(building, cancellationToken).ConfigureAwait(false);
        PrivateFolder.Create(building);
        var memory = new MemoryPlace(options.Directories.Cache).Make(hash, building, key.MemoryMib);
        try
        {
            RequireSpace(building, key.MemoryMib);
            var saved = new GoldenFiles(Path.Combine(building, "image"));
            PrivateFolder.Ensure(saved.Folder);
            await BootAndSaveAsync(config, building, memory, saved, progress, cancellationToken).ConfigureAwait(false);
            await PublishAsync(key, request, saved, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            File.Delete(memory);
            HostFiles.DeleteFolder(building);
        }

        return Usable(hash)!;
    }

    /// <summary>Reads an image into the page cache, so that the next instance need not wait for the disk.</summary>
    public static Task WarmAsync(GoldenFiles files, CancellationToken cancellationToken) => PageCache.ReadAheadAsync([files.Memory, files.Devices, files.Disk], cancellationToken);

    /// <summary>The folders of bakes that run, or were killed, with the host's folders as the instance of each has them.</summary>
    internal static IEnumerable<(string Name, HostDirectories Directories)> BuildingOn(HostDirectories directories) =>
        new GoldenStore(directories).AllBuilding().Select(building => (Path.GetFileName(building), DirectoriesIn(directories, building)));

    private static HostDirectories DirectoriesIn(HostDirectories directories, string building) => directories with { Data = Path.Combine(building, "data") };

    private GoldenImage? Usable(string hash) => _store.List().FirstOrDefault(image => image.Hash == hash && image.Fault is null);

    private async Task BootAndSaveAsync(InstanceConfig config, string building, string memory, GoldenFiles saved, IProgress<TimelineEvent>? progress, CancellationToken cancellationToken)
    {
        // All that an instance writes for its user goes into the folder, and with it.
        var directories = DirectoriesIn(options.Directories, building) with { OpenShellConfig = Path.Combine(building, "config"), Kube = Path.Combine(building, "kube") };
        var instances = new LocalInstances(options with { Directories = directories, BakesMemory = memory });
        var files = new InstanceStore(directories).Files(InstanceName.Parse(Instance));
        InstanceStore.CreateFolders(files);
        InstanceStore.WriteOrigin(files.Origin, new InstanceOrigin { Source = "a golden image", ClonedAt = options.Time.GetUtcNow(), NodeName = NodeName, Identity = "golden-" + Guid.NewGuid().ToString("N") });

        await using var running = await instances.RunAsync(ForBake(config), progress, cancellationToken).ConfigureAwait(false);
        await using var stop = cancellationToken.Register(() => _ = running.StopAsync(force: true)).ConfigureAwait(false);
        await running.Ready.ConfigureAwait(false);
        await ((RestartingInstance)running).FreezeAsync(new SavedMachine(saved.Devices, HoldsMemory: false), cancellationToken).ConfigureAwait(false);
        await running.Completion.ConfigureAwait(false);

        File.Move(files.StateDisk, saved.Disk);
        if (File.Exists(files.DeliveryDisk))
            File.Move(files.DeliveryDisk, saved.Delivery);

        var mtls = new GatewayRegistration(directories, Instance).MtlsFolder;
        foreach (var (name, place) in GatewayRegistration.MtlsNames.Zip(saved.Client))
            File.Move(Path.Combine(mtls, name), place);

        // Zeros that the guest left are holes of the file: nobody has to read them, or keep them in memory.
        await SparseCopy.MakeAsync(memory, saved.Memory, cancellationToken).ConfigureAwait(false);
    }

    private static InstanceConfig ForBake(InstanceConfig config) => config with
    {
        Name = Instance,
        Ports = [],
        AddedPorts = [],
        GatewayPort = 0,
        Restart = null,
        IdleSuspend = null,
        Start = StartKinds.Boot,
    };

    private async Task PublishAsync(GoldenKey key, ImageRequest request, GoldenFiles saved, CancellationToken cancellationToken)
    {
        var names = new[] { GoldenFiles.MemoryName, GoldenFiles.DevicesName, GoldenFiles.DiskName, GoldenFiles.DeliveryName }.Concat(GoldenFiles.ClientNames).Where(name => File.Exists(Path.Combine(saved.Folder, name))).ToList();
        var files = new List<SavedFile>();
        foreach (var name in names)
        {
            var path = Path.Combine(saved.Folder, name);
            HostFiles.SyncFile(path);
            File.SetUnixFileMode(path, UnixFileMode.UserRead);
            files.Add(await SavedFile.MakeAsync(saved.Folder, name, cancellationToken).ConfigureAwait(false));
        }

        GoldenStore.Write(saved, new GoldenRecord { Key = key, MadeAt = options.Time.GetUtcNow(), NodeName = NodeName, Files = files, BakedOf = BakedOf.Of(request) });
        HostFiles.SyncFolder(saved.Folder);

        // One that is there cannot be used, or it would have been returned. It stays while instances stand on its disk; 'image prune' removes it after that.
        var place = _store.Next(key.Hash());
        PrivateFolder.Create(Path.GetDirectoryName(place.Folder)!);
        Directory.Move(saved.Folder, place.Folder);
        HostFiles.SyncFolder(Path.GetDirectoryName(place.Folder)!);
    }

    /// <summary>What an earlier bake left when it was killed: its machine ends with its supervisor; its folders go.</summary>
    private async Task ClearAsync(string building, CancellationToken cancellationToken)
    {
        var directories = DirectoriesIn(options.Directories, building);
        var files = new InstanceStore(directories).Files(InstanceName.Parse(Instance));
        if (Directory.Exists(files.Root) && File.Exists(files.Status))
        {
            await InstanceRemains.EndProcessesAsync(InstanceStore.ReadStatus(files), cancellationToken).ConfigureAwait(false);
            InstanceRemains.RemoveRunFolder(files);
        }

        HostFiles.DeleteFolder(building);
    }

    /// <summary>The key, by the machine that would be started, and what its images are asked for as.</summary>
    private async Task<(GoldenKey Key, ImageRequest Request)> KeyAsync(InstanceConfig asked, bool build, IProgress<TimelineEvent>? progress, CancellationToken cancellationToken)
    {
        var host = await options.ProbeAsync(asked, cancellationToken).ConfigureAwait(false);
        var config = InstanceDefaults.Fill(asked with { Name = Instance }, host);
        if (GoldenKey.WhyNot(config, host) is { } why)
            throw new FaultException(SnapshotSupport.Unsupported("To bake a golden image of this", why));
        var request = ImageRequest.For(config);
        var images = build
            ? await options.EffectiveImages.EnsureAsync(request, progress is null ? null : new ActionProgress<BuildProgress>(step => Relay(step, progress)), cancellationToken).ConfigureAwait(false)
            : await options.EffectiveImages.FindAsync(request, cancellationToken).ConfigureAwait(false) ?? throw new FaultException(new Fault
            {
                Code = "golden.no-images",
                What = "The images that it would be baked of are not built.",
                Remedy = "Build them with 'gateway image build', or bake, which does.",
            });
        var files = new InstanceStore(options.Directories).Files(InstanceName.Parse(Instance));
        var plan = BootPlanner.Plan(config, host, images, files);
        var qemu = await new RuntimeInspector(options.Directories).InspectAsync("qemu", host.Qemu!, host.QemuVersion?.ToString(), cancellationToken).ConfigureAwait(false);
        var delivery = DeliveryFiles.AreNamed(config) ? await DeliveryDisk.DigestAsync(config, cancellationToken).ConfigureAwait(false) : null;
        return (GoldenKey.Of(config, MachineIdentity.Of(plan, host, qemu.Sha256!, images.Key), delivery), request);
    }

    private static void Relay(BuildProgress step, IProgress<TimelineEvent> progress)
    {
        if (step.State is BuildState.Started or BuildState.Running or BuildState.Waiting)
            progress.Report(new TimelineEvent { Stage = $"{BootStages.Image}/{step.Step}", State = Protocol.Messages.StageState.Started, At = DateTimeOffset.UtcNow, Elapsed = step.Elapsed, Detail = step.Detail ?? step.Title, Progress = step.Share });
    }

    private static void RequireSpace(string folder, int memoryMib)
    {
        // The memory's file may come to its whole size while the machine runs, and the disk has a gigabyte.
        var (free, needed) = (HostFiles.FreeBytes(folder), (long)(memoryMib + 1024) << 20);
        if (free < needed)
        {
            throw new FaultException(new Fault
            {
                Code = "golden.no-space",
                What = string.Create(CultureInfo.InvariantCulture, $"{folder} has {free >> 20} MiB free; a golden image needs {needed >> 20} while it is baked, and some 2000 when it is done."),
                Remedy = "Free some space ('gateway image prune' may), or point XDG_CACHE_HOME to a larger disk.",
            });
        }
    }
}
