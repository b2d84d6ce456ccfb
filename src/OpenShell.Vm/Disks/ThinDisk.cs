using System.Globalization;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Disks;

/// <summary>
/// Clones that cost nothing until they differ. Where the file system shares blocks, a clone is such a copy and independent at once. Elsewhere the disk of the
/// source is frozen as a base, and both go on with an empty image over it. At every moment of that, the source has the disk that it had.
/// </summary>
internal static class ThinDisk
{
    /// <summary>Each file of a chain is opened by whoever reads the disk, and asked for what is not in those above.</summary>
    internal const int MaxLayers = 40;

    /// <summary>Puts a copy of an instance's disk into a folder beside the instance's. The caller holds the source's lock.</summary>
    /// <returns>Whether the copy stands on a base in the source's folder.</returns>
    internal static async Task<bool> CopyToAsync(InstanceFiles source, string folder, CancellationToken cancellationToken, QemuImg? tool = null)
    {
        if (source.ExistingStateDisk is not { } disk)
            return false;
        if (DiskImage.BackingOf(disk) is null && FileCopies.TryClone(disk, Path.Combine(folder, Path.GetFileName(disk))))
            return false;

        tool ??= QemuImg.Require();
        var frozen = await FreezeAsync(tool, source, disk, cancellationToken).ConfigureAwait(false);
        var copy = Path.Combine(folder, Path.GetFileName(source.StateDisk));

        // Relative, so that the folder of all instances can be moved as a whole.
        await tool.CreateOverAsync(copy, Path.Combine("..", Path.GetFileName(source.Root), Path.GetFileName(frozen)), FormatOf(frozen), source.VmmLog, cancellationToken).ConfigureAwait(false);
        Finish(copy);
        return true;
    }

    /// <summary>Makes a disk stand on nothing any more; whole or not at all.</summary>
    internal static async Task FlattenAsync(InstanceFiles files, CancellationToken cancellationToken)
    {
        if (files.ExistingStateDisk is not { } disk || DiskImage.BackingOf(disk) is null)
            return;
        RequireSpace(files, DiskImage.Chain(disk).Sum(HostFiles.AllocatedBytes));
        await ReplaceAsync(files, disk, keepBacking: false, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a disk anew without what is zeros or was given back by the guest, along with the bases in its own folder that no other disk stands on; whole or not at all.</summary>
    /// <param name="files">The instance's.</param>
    /// <param name="disk">Its disk.</param>
    /// <param name="needed">The bases in its folder on which other instances' disks stand.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal static async Task RewriteAsync(InstanceFiles files, string disk, IReadOnlySet<string> needed, CancellationToken cancellationToken)
    {
        var chain = DiskImage.Chain(disk);
        string[] merged = [disk, .. chain.Skip(1).TakeWhile(below => IsOwnBase(files, below) && !needed.Contains(below))];
        RequireSpace(files, merged.Sum(HostFiles.AllocatedBytes));
        var stays = chain.ElementAtOrDefault(merged.Length);
        await ReplaceAsync(files, disk, keepBacking: stays is not null, merged.Length > 1 ? stays : null, cancellationToken).ConfigureAwait(false);
    }

    private static bool IsOwnBase(InstanceFiles files, string disk) =>
        DiskLineage.IsIn(files, disk) && Path.GetFileName(disk).StartsWith(InstanceFiles.BasePrefix, StringComparison.Ordinal);

    /// <summary>Puts a copy in a disk's place, which stands on what the disk does, or on something below that.</summary>
    private static async Task ReplaceAsync(InstanceFiles files, string disk, bool keepBacking, string? standOn, CancellationToken cancellationToken)
    {
        var tool = QemuImg.Require();
        var aside = files.StateDisk + ".tmp";
        File.Delete(aside);
        try
        {
            await tool.CopyAsync(disk, aside, keepBacking, files.VmmLog, cancellationToken).ConfigureAwait(false);
            if (standOn is not null)
                await tool.StandOnAsync(aside, standOn, files.VmmLog, cancellationToken).ConfigureAwait(false);
            Finish(aside);
            File.Move(aside, files.StateDisk, overwrite: true);
            HostFiles.SyncFolder(files.Root);
        }
        finally
        {
            File.Delete(aside);
        }
    }

    private static async Task<string> FreezeAsync(QemuImg tool, InstanceFiles source, string disk, CancellationToken cancellationToken)
    {
        // Nothing was written since the last clone was made: its base will do for one more.
        if (DiskImage.BackingOf(disk) is { } below && DiskLineage.IsIn(source, below) && await tool.IsUntouchedAsync(disk, cancellationToken).ConfigureAwait(false))
            return below;

        RequireFewLayers(source, disk);
        var frozen = source.BaseDisk(Guid.NewGuid().ToString("N")[..8], FormatOf(disk));
        var aside = source.StateDisk + ".tmp";
        File.Delete(aside);

        // A second name for the disk, an image over that name, and the image in place of the first name: until this last step nothing has changed.
        if (Libc.Link(disk, frozen) != 0)
            throw CannotFreeze(disk);
        try
        {
            await tool.CreateOverAsync(aside, Path.GetFileName(frozen), FormatOf(frozen), source.VmmLog, cancellationToken).ConfigureAwait(false);
            Finish(aside);
            File.Move(aside, source.StateDisk, overwrite: true);
        }
        catch
        {
            File.Delete(aside);
            File.Delete(frozen);
            throw;
        }

        if (DiskImage.IsRaw(disk))
            File.Delete(disk);
        File.SetUnixFileMode(frozen, UnixFileMode.UserRead);
        HostFiles.SyncFolder(source.Root);
        return frozen;
    }

    private static DiskFormat FormatOf(string disk) => DiskImage.IsRaw(disk) ? DiskFormat.Raw : DiskFormat.Qcow2;

    private static void Finish(string path)
    {
        File.SetUnixFileMode(path, AtomicFile.OwnerOnly);
        HostFiles.SyncFile(path);
    }

    private static void RequireFewLayers(InstanceFiles source, string disk)
    {
        var chain = DiskImage.Chain(disk);
        if (chain.Count < MaxLayers)
            return;
        var name = Path.GetFileName(source.Root);
        throw new FaultException(new Fault
        {
            Code = "disk.too-many-layers",
            What = string.Create(CultureInfo.InvariantCulture, $"The disk of {name} stands on {chain.Count - 1} others, one for each clone after which it was written to; one more would make it slow."),
            Remedy = $"Stop it, and 'gateway disk compact --name {name}' merges those on which no other instance stands. Delete clones that are not needed first ('gateway disk' names them); "
                + "of a clone of clones, make it independent with 'gateway delete --flatten' of its source.",
        });
    }

    private static void RequireSpace(InstanceFiles files, long needed)
    {
        if (HostFiles.FreeBytes(files.Root) is var free && free < needed)
        {
            throw new FaultException(new Fault
            {
                Code = "disk.no-space",
                What = $"{files.Root} has {free >> 20} MiB free; a copy of the disk may need {needed >> 20}.",
                Remedy = "Free some space ('gateway image prune' may), then try again; nothing was changed.",
            });
        }
    }

    private static FaultException CannotFreeze(string disk) => new(new Fault
    {
        Code = "disk.cannot-freeze",
        What = $"{disk} cannot be given a second name: the file system has no hard links.",
        Remedy = "Point XDG_DATA_HOME to an ordinary file system (ext4, XFS, btrfs, APFS), or copy the instance by its manifests.",
    });
}
