using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.State;

/// <summary>
/// The disk that keeps what must outlive a boot. Formatted once, when nothing at all is on it; checked when it was not unmounted cleanly, and repaired when that is not enough; never
/// mounted with less than ext4's own durability, since the cluster's database relies on fsync.
/// </summary>
/// <param name="tool">Runs what makes and checks file systems.</param>
/// <param name="binds">What lives on it.</param>
/// <param name="repaired">Told of a repair, in one sentence.</param>
internal sealed class StateDisk(Tool tool, IReadOnlyList<MountEntry> binds, Action<string> repaired)
{
    private readonly Ext4Repair _repair = new(tool, GuestPaths.StateLabel);

    // Minutes: a large disk on an emulated processor.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    // ext4 leaves a rest at the end that is too small for a group of blocks; a disk that was resized grew by GiBs.
    private const long WorthGrowing = 256L << 20;

    /// <summary>
    /// Arguments of mke2fs, without the device. assume_storage_prezeroed: a new disk image reads as zeros, so neither the journal nor inode tables need to be
    /// written, now or later. nodiscard: there is nothing to discard.
    /// </summary>
    public static IReadOnlyList<string> FormatArguments { get; } =
        ["-q", "-t", "ext4", "-L", GuestPaths.StateLabel, "-m", "1", "-E", "assume_storage_prezeroed=1,nodiscard"];

    /// <summary>Whether there is a state disk that was never used: then certificates can be made while it is formatted.</summary>
    public static bool IsNew() =>
        BlockDevices.Find(GuestPaths.StateLabel) is { } device && Ext4Superblock.Read(FileSystemSignature.ReadStart(device)) is null;

    /// <summary>Finds, formats or checks, and mounts the disk, and binds what lives on it.</summary>
    /// <returns>What was done, for a person; <see langword="null"/> when there is no state disk and everything stays in memory.</returns>
    /// <exception cref="GuestFaultException">It holds something else, or is damaged beyond what e2fsck repairs by itself.</exception>
    public async Task<string?> PrepareAsync()
    {
        if (BlockDevices.Find(GuestPaths.StateLabel) is not { } device)
        {
            BindAll();
            return null;
        }

        var superblock = Ext4Superblock.Read(FileSystemSignature.ReadStart(device));
        var done = await CheckOrFormatAsync(device, superblock).ConfigureAwait(false);
        var state = new MountEntry { Source = device, Target = GuestPaths.State, Type = "ext4", Flags = Linux.MsNoAtime };
        try
        {
            Mounter.Mount(state);
        }
        catch (GuestFaultException) when (done.Said is null && superblock is not null)
        {
            // It said that it is clean, and the kernel sees that it is not.
            done = await _repair.RepairAsync(device).ConfigureAwait(false);
            Mounter.Mount(state);
        }

        var detail = done.Said is null ? done.Done : KeepReport(done);
        if (superblock is not null && FileSystemSignature.DeviceLength(device) - superblock.Size >= WorthGrowing)
            detail += ", " + await GrowAsync(device).ConfigureAwait(false);
        BindAll();
        return detail;
    }

    /// <summary>A repair is no secret: what it did is kept on the disk, its loss is counted, and what it may have taken of images is imported again.</summary>
    private string KeepReport(RepairResult result)
    {
        File.AppendAllText(StateLayout.RepairLog, $"{DateTimeOffset.UtcNow:u} {result.Done}\n{result.Said}\n\n");
        var nameless = Directory.Exists(StateLayout.LostAndFound) ? Directory.GetFileSystemEntries(StateLayout.LostAndFound).Length : 0;
        if (result.MayLackFiles && Directory.Exists(StateLayout.Markers))
        {
            foreach (var marker in Directory.EnumerateFiles(StateLayout.Markers, "image-*").Concat(Directory.EnumerateFiles(StateLayout.Markers, "delivered-*")).ToArray())
                File.Delete(marker);
        }

        var what = result.Done + (nameless == 0 ? "" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"; {nameless} files without a name are in {StateLayout.LostAndFound}"));
        repaired($"the file system on the state disk was damaged: {what}; what was done is in {StateLayout.RepairLog}");
        return what;
    }

    /// <summary>
    /// The host made the disk larger: so does ext4 with itself, while it is mounted (resize2fs(8)), which needs no check before and loses nothing when it is interrupted.
    /// What does not succeed is told and tried again at the next boot: the cluster runs with what there is.
    /// </summary>
    private async Task<string> GrowAsync(string device)
    {
        var grow = await tool.RunAsync("resize2fs", Patience, "/sbin/resize2fs", device).ConfigureAwait(false);
        return grow.IsSuccess ? "grown to the size of its disk" : $"not grown to the size of its disk: {grow}";
    }

    private void BindAll()
    {
        Mounter.MakeFolders(GuestPaths.State);
        Mounter.MountAll(binds);
    }

    private async Task<RepairResult> CheckOrFormatAsync(string device, Ext4Superblock? superblock)
    {
        if (superblock?.Label == GuestPaths.StateLabel)
        {
            // e2fsck -p would look at the same flags and end; not starting it saves the start of a program on every ordinary boot.
            return superblock.NeedsCheck ? await _repair.CheckAsync(device).ConfigureAwait(false) : new RepairResult("clean", null, MayLackFiles: false);
        }

        // Only its beginning is overwritten: what follows may be all that the instance has.
        if (_repair.HasCopy(device))
            return await _repair.RepairAsync(device).ConfigureAwait(false);
        if (superblock is null)
            return new RepairResult(await FormatAsync(device).ConfigureAwait(false), null, MayLackFiles: false);
        throw new GuestFaultException(
            "guest.state-disk-foreign",
            $"the state disk {device} holds an ext4 file system labelled '{superblock.Label}', not '{GuestPaths.StateLabel}'.",
            "Give the instance its own state disk; this one is left untouched.");
    }

    private async Task<string> FormatAsync(string device)
    {
        if (!FileSystemSignature.IsBlank(device))
            await RequireUnknownAsync(device).ConfigureAwait(false);
        var format = await tool.RunAsync("mke2fs", Patience, ["/sbin/mke2fs", .. FormatArguments, device]).ConfigureAwait(false);
        return format.IsSuccess
            ? "formatted"
            : throw new GuestFaultException("guest.state-disk-format", $"the state disk could not be formatted: {format}.", "Check the host's disk space and the hypervisor's log.");
    }

    /// <summary>What is neither blank nor ext4 may be the rest of a format that was cut off, or somebody's data.</summary>
    private async Task RequireUnknownAsync(string device)
    {
        // Exit code 2: no signature of any kind that libblkid knows (file systems, partition tables, RAID, LVM, LUKS, swap), blkid(8).
        var probe = await tool.RunAsync("blkid", Patience, "/sbin/blkid", "--probe", device).ConfigureAwait(false);
        if (probe.Code != 2)
        {
            throw new GuestFaultException(
                "guest.state-disk-foreign",
                $"the state disk {device} is not ours and not empty: {probe}.",
                "Give the instance its own, empty state disk; this one is left untouched.");
        }
    }
}
