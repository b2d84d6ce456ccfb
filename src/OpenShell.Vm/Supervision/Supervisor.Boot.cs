using System.Globalization;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Readiness;
using OpenShell.Vm.Runtime;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Supervision;

/// <summary>The start: <see cref="BootAsync"/> is its table of contents.</summary>
internal sealed partial class Supervisor
{
    private double _patience = 1;
    private Accelerator _accelerator;

    private async Task<Ending> BootAsync()
    {
        var host = await ProbeHostAsync().ConfigureAwait(false);

        if (IsCluster)
            StateDisk.RequireSpace(_files);

        // What takes longest on a first start and what is quick do not wait for one another.
        var network = StartNetworkAsync(host);
        var images = await BothAsync(EnsureImagesAsync(), network).ConfigureAwait(false);

        var disk = StateDisk.FormatFor(host, _files);
        var parts = await CheckRuntimeAsync(host, images).ConfigureAwait(false);
        var plan = BootPlanner.Plan(_config with { Ports = _ports.User }, host, images, _files, disk);
        Remember(plan, host, images?.Key ?? "", parts);
        using var deadline = StartDeadline();
        if (await TryResumeAsync(plan, host, images, parts).ConfigureAwait(false))
            return await _ending.Task.ConfigureAwait(false);

        // Of a machine that it is no more.
        File.Delete(_files.MemoryBase);
        await PrepareDiskAsync(disk, host).ConfigureAwait(false);
        await PrepareDeliveryAsync().ConfigureAwait(false);
        if (_options.BakesMemory is { } memory)
            plan = plan with { Memory = new GuestMemory(MemorySharing.Shared, memory) };
        _plan = plan;
        if (IsCluster)
            UseDisk();
        var agent = await PowerOnAsync(plan, host).ConfigureAwait(false);
        _agent.TrySetResult(agent);

        if (!IsCluster)
            return await RunProgramAsync(agent).ConfigureAwait(false);

        await BecomeReadyAsync(agent).ConfigureAwait(false);
        return await _ending.Task.ConfigureAwait(false);
    }

    /// <summary>From here on the disk is this machine's: a memory of before does not fit any more.</summary>
    private void UseDisk()
    {
        DiskGeneration.Advance(_files);
        new Snapshot(_files).Remove();
    }

    private async Task<HostFacts> ProbeHostAsync()
    {
        _timeline.Started(BootStages.HostProbe);
        var host = await _options.ProbeAsync(_config, _running.Token).ConfigureAwait(false);
        var asked = _config;
        _config = InstanceDefaults.Fill(_config, host);
        HypervisorCatalog.ThrowIfUnfit(_config, host);
        _hypervisor = _config.Hypervisor;
        DeliveryFiles.ThrowIfUnfit(_config);
        Mounts.MountRules.ThrowIfUnfit(_config, host);
        _accelerator = AcceleratorChoice.Best(_config.Hypervisor!, host);
        _patience = Math.Max(1, _config.Timeout!.Value / (InstanceDefaults.Fill(_config with { Timeout = null }, host).Timeout!.Value));
        _status.Change(status => status with
        {
            Hypervisor = _config.Hypervisor,
            Accelerator = _accelerator.ToString().ToLowerInvariant(),
            Distribution = _config.Distribution,
            Bundle = _config.Pinned?.Bundle,
            Vcpus = _config.Vcpus,
            MemoryMib = _config.MemoryMib,
        });
        var notes = AcceleratorChoice.Notes(_config.Hypervisor!, host).Concat(InstanceValidator.Notes(_config with { Distribution = asked.Distribution }, host)).ToArray();
        if (notes.Length > 0)
            _timeline.Progress(BootStages.HostProbe, null, string.Join(' ', notes));
        _timeline.Completed(BootStages.HostProbe, string.Create(CultureInfo.InvariantCulture, $"{_accelerator.ToString().ToLowerInvariant()}, {host.Cores} processors, {host.MemoryMib} MiB"));
        return host;
    }

    private async Task<ImageSet?> EnsureImagesAsync()
    {
        if (_config.RootDirectory is { } root)
        {
            _timeline.Skipped(BootStages.Image, $"the root is {root}");
            return null;
        }

        _timeline.Started(BootStages.Image);
        var progress = new ActionProgress<BuildProgress>(RecordBuildStep);
        var images = _config.Pinned is { } pinned
            ? await pinned.FindAsync(_options.Directories, progress, _running.Token).ConfigureAwait(false)
            : await _options.EffectiveImages.EnsureAsync(ImageRequest.For(_config), progress, _running.Token).ConfigureAwait(false);
        _status.Change(status => status with { DistributionVersion = images.DistributionVersion });
        _timeline.Completed(BootStages.Image, images.Key.Length > 12 ? images.Key[..12] : images.Key);
        return images;
    }

    /// <summary>What this boot runs on is in the log of every boot; what is not as its manifest says is not run.</summary>
    private async Task<IReadOnlyList<RuntimePart>> CheckRuntimeAsync(HostFacts host, ImageSet? images)
    {
        var parts = await new RuntimeInspector(_options.Directories).InspectAsync(host, images, _running.Token).ConfigureAwait(false);
        foreach (var part in parts)
            _log.Say($"runtime: {part.Name} {part.Version ?? "(version unknown)"} {part.Path} sha256:{part.Sha256 ?? "?"} {part.Origin.ToString().ToLowerInvariant()}, {part.From}");
        RuntimePart.ThrowIfUnfit(parts);
        return parts;
    }

    // What is built is a part of the stage; what was in the cache took no time and is not told.
    private void RecordBuildStep(BuildProgress step)
    {
        var part = $"{BootStages.Image}/{step.Step}";
        var size = step.Bytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB") : null;
        var detail = string.Join(", ", new[] { step.Title, size, step.Detail }.Where(text => !string.IsNullOrEmpty(text)));
        switch (step.State)
        {
            case BuildState.Cached:
                break;
            case BuildState.Completed:
                _timeline.Completed(part, detail);
                break;
            case BuildState.Failed:
                _timeline.Failed(part, detail);
                break;
            default:
                _timeline.Progress(part, step.Share, detail);
                break;
        }
    }

    private async Task PrepareDiskAsync(DiskFormat format, HostFacts host)
    {
        if (!IsCluster)
            return;
        _timeline.Started(BootStages.Disk);
        if (_files.StateDiskOf(format) is var disk && File.Exists(disk))
        {
            var grown = await StateDisk.GrowAsync(disk, _config.DiskGib, _files, _running.Token).ConfigureAwait(false);
            _timeline.Completed(BootStages.Disk, grown ? string.Create(CultureInfo.InvariantCulture, $"kept, grown to {_config.DiskGib} GiB") : "kept");
            return;
        }

        var size = _config.DiskGib ?? StateDisk.SizeGib;
        await StateDisk.CreateAsync(format, size, host, _files, _running.Token).ConfigureAwait(false);
        _timeline.Completed(BootStages.Disk, string.Create(CultureInfo.InvariantCulture, $"{size} GiB, sparse"));
    }

    private async Task PrepareDeliveryAsync()
    {
        // What this machine is given, and not what a memory was that it could not go on from.
        _delivery = _asked;
        if (!DeliveryFiles.AreNamed(_config))
            return;
        var (files, written) = await DeliveryDisk.WriteAsync(_config, _files.DeliveryDisk, _running.Token).ConfigureAwait(false);
        _log.Say(string.Create(CultureInfo.InvariantCulture, $"the guest is given {files} files along{(written ? "" : ", as the last time")}"));
    }

    /// <summary>From here to Ready (or to the program's start) the user's timeout counts: building an image on first use is not the instance's slowness.</summary>
    private CancellationTokenSource StartDeadline()
    {
        var timeout = _config.Timeout!.Value;
        var deadline = new CancellationTokenSource(timeout);
        deadline.Token.Register(() =>
        {
            if (!_ready.Task.IsCompleted)
                End(new Ending.Lost(TimedOut(timeout)));
        });
        return deadline;
    }

    private Fault TimedOut(TimeSpan timeout)
    {
        var gate = IsCluster ? ReadinessGates.Current(_timeline.Stages)?.Gate : null;
        return NoRoom(gate?.Stage ?? _timeline.CurrentStage) ?? new Fault
        {
            Code = "instance.timeout",
            Stage = gate?.Stage ?? _timeline.CurrentStage,
            What = string.Create(CultureInfo.InvariantCulture, $"{_config.Name} was not ready within {timeout.TotalSeconds:0} s: it waited for {gate?.WaitsFor ?? "the guest"}."),
            Remedy = (gate?.Hint ?? "'gateway logs --source console' shows how far the guest came.") + " --timeout gives it longer.",
            Log = _lock is null ? null : _files.ConsoleLog,
        };
    }

    /// <summary>Waits for both; when one fails the other is cancelled, and the first failure is the one that counts.</summary>
    private async Task<T> BothAsync<T>(Task<T> first, Task second)
    {
        var earlier = await Task.WhenAny(first, second).ConfigureAwait(false);
        if (!earlier.IsCompletedSuccessfully)
        {
            await _running.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(first, second).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await earlier.ConfigureAwait(false);
        }

        await second.ConfigureAwait(false);
        return await first.ConfigureAwait(false);
    }
}

/// <summary>Progress told at once on the caller's thread; <see cref="Progress{T}"/> would post it to another, out of order.</summary>
internal sealed class ActionProgress<T>(Action<T> action) : IProgress<T>
{
    public void Report(T value) => action(value);
}
