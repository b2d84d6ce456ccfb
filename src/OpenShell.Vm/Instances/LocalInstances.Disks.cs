using System.Globalization;
using System.Text;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Instances;

public sealed partial class LocalInstances
{
    /// <summary>A trim of a large disk under emulation; asking for numbers takes a fraction of a second.</summary>
    private static readonly TimeSpan TrimLimit = TimeSpan.FromMinutes(10), AskLimit = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public async Task<DiskUse?> DiskAsync(string name, CancellationToken cancellationToken = default)
    {
        var files = FilesOfKnown(name);
        if (files.ExistingStateDisk is not { } disk)
            return null;

        // One that runs, or is worked on, is written to at this moment.
        if (InstanceLock.HolderOf(files) is null && StateDisk.Missing(files, null) is { } fault)
            throw new FaultException(fault);
        var below = DiskImage.Chain(disk).Skip(1).ToArray();
        return new DiskUse(
            DiskImage.VirtualSize(disk),
            InstanceLock.SupervisorOf(files) is null ? Ext4Usage.Used(disk) : await UsedInGuestAsync(files, cancellationToken).ConfigureAwait(false),
            HostFiles.AllocatedBytes(disk),
            below.Append(files.MemoryBase).Sum(HostFiles.AllocatedBytes),
            new DiskLineage(_store).ClonesOf(files))
        {
            Memory = new Snapshots.Snapshot(files).Bytes,
            MemoryRemains = InstanceLock.HolderOf(files) is null ? new Snapshots.Snapshot(files).RemainsBytes : 0,
        };
    }

    /// <inheritdoc/>
    public async Task<DiskUse> CompactAsync(string name, CancellationToken cancellationToken = default)
    {
        var files = FilesOfKnown(name);
        RequireKnownFormat(name);
        if (files.ExistingStateDisk is not { } disk)
            throw new FaultException(NoDisk(name));
        if (InstanceLock.SupervisorOf(files) is not null)
        {
            // What the guest gives back, the hypervisor punches out of the disk's file.
            _ = await AskGuestAsync(files, TrimLimit, cancellationToken, "/sbin/fstrim", "-v", GuestPaths.State).ConfigureAwait(false);
            return (await DiskAsync(name, cancellationToken).ConfigureAwait(false))!;
        }

        using (await TakeAtRestAsync(files, name, "disk compact", "Try again: it has just been started.", cancellationToken).ConfigureAwait(false))
        {
            StateDisk.RequireWhole(files, LastStatus(files));
            var lineage = new DiskLineage(_store);
            var needed = lineage.NeededByOthers(files);

            // By now: whoever had the lock before may have put another in its place.
            disk = files.ExistingStateDisk ?? throw new FaultException(NoDisk(name));
            if (DiskImage.IsRaw(disk))
                await HolePuncher.PunchAsync(disk, files.VmmLog, cancellationToken).ConfigureAwait(false);
            else
                await ThinDisk.RewriteAsync(files, disk, needed, cancellationToken).ConfigureAwait(false);
            lineage.RemoveUnused(files);
        }

        return (await DiskAsync(name, cancellationToken).ConfigureAwait(false))!;
    }

    /// <inheritdoc/>
    public async Task<bool> ResizeDiskAsync(string name, int gib, CancellationToken cancellationToken = default)
    {
        var files = FilesOfKnown(name);
        var config = _store.ReadConfig(InstanceName.Parse(name));
        var now = files.ExistingStateDisk is { } disk ? DiskImage.VirtualSize(disk) : (long)(config.DiskGib ?? StateDisk.SizeGib) << 30;
        if ((long)gib << 30 < now)
        {
            throw new FaultException(new Fault
            {
                Code = "disk.cannot-shrink",
                What = string.Create(CultureInfo.InvariantCulture, $"The disk of {name} has {now >> 30} GiB; it does not become smaller."),
                Remedy = "It takes only what is used: 'gateway disk compact' gives back what is not. For a smaller limit begin anew: 'gateway reset'.",
                IsUsage = true,
            });
        }

        if (InstanceLock.WorkerOf(files) is not null)
            throw InstanceLock.Held(files, name);

        // It goes on with the disk that it had, however it is started next.
        if (new Snapshots.Snapshot(files).Exists && (IsAsleep(files) || InstanceLock.SupervisorOf(files) is null))
            throw Suspended(name);
        await EditAsync(name, stored => stored with { DiskGib = gib }, cancellationToken).ConfigureAwait(false);
        if (files.ExistingStateDisk is null || InstanceLock.SupervisorOf(files) is not null)
            return false;
        using (await TakeAtRestAsync(files, name, "disk resize", "Its disk grows at its next start.", cancellationToken).ConfigureAwait(false))
        {
            StateDisk.RequireWhole(files, LastStatus(files));
            await StateDisk.GrowAsync(files.ExistingStateDisk, gib, files, cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private static async Task<long?> UsedInGuestAsync(InstanceFiles files, CancellationToken cancellationToken)
    {
        try
        {
            // Blocks, free blocks, and their size.
            var answer = await AskGuestAsync(files, AskLimit, cancellationToken, "/usr/bin/stat", "-f", "-c", "%b %f %S", GuestPaths.State).ConfigureAwait(false);
            return answer.Split(' ') is [var blocks, var free, var size]
                ? (long.Parse(blocks, CultureInfo.InvariantCulture) - long.Parse(free, CultureInfo.InvariantCulture)) * long.Parse(size, CultureInfo.InvariantCulture)
                : null;
        }
        catch (Exception e) when (e is FaultException or FormatException)
        {
            // It is still starting, or just ending.
            return null;
        }
    }

    private static async Task<string> AskGuestAsync(InstanceFiles files, TimeSpan limit, CancellationToken cancellationToken, params string[] command)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limit);
        try
        {
            await using var agent = await Guests.GuestAgent.ConnectAsync(files.AgentSocket, cancellationToken: deadline.Token).ConfigureAwait(false);
            await using var program = await agent.ExecAsync(new ExecRequest { Program = command[0], Arguments = command[1..] }, deadline.Token).ConfigureAwait(false);
            using var output = new StreamReader(program.Stdout, Encoding.UTF8);
            using var errors = new StreamReader(program.Stderr, Encoding.UTF8);
            var said = output.ReadToEndAsync(deadline.Token);
            var complained = errors.ReadToEndAsync(deadline.Token);
            var result = await program.Completion.WaitAsync(deadline.Token).ConfigureAwait(false);
            return result.ExitCode == 0 ? (await said.ConfigureAwait(false)).Trim() : throw NotDone($"{command[0]} ended with {result.ExitCode}: {(await complained.ConfigureAwait(false)).Trim()}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw NotDone($"{command[0]} did not end within {limit.TotalSeconds:0} s");
        }
    }

    private static FaultException NotDone(string why) => new(new Fault
    {
        Code = "disk.guest-failed",
        What = $"The guest could not do it: {why}.",
        Remedy = "See that it is ready ('gateway status'), then try again; or stop it first, and the host does it.",
    });

    private static Fault NoDisk(string name) => new()
    {
        Code = "disk.none",
        What = $"{name} has no disk yet.",
        Remedy = $"It is made at the first start: 'gateway up --name {name}'.",
    };
}
