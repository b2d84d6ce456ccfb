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
    /// <summary>Puts a copy of an instance's disk into a folder beside the instance's. The caller holds the source's lock.</summary>
    /// <returns>Whether the copy stands on a base in the source's folder.</returns>
    internal static async Task<bool> CopyToAsync(InstanceFiles source, string folder, CancellationToken cancellationToken)
    {
        if (source.ExistingStateDisk is not { } disk)
            return false;
        if (DiskImage.BackingOf(disk) is null && FileCopies.TryClone(disk, Path.Combine(folder, Path.GetFileName(disk))))
            return false;

        var tool = QemuImg.Require();
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
        await ReplaceAsync(files, disk, keepBacking: false, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes a disk anew without what is zeros or was given back by the guest; whole or not at all.</summary>
    internal static async Task RewriteAsync(InstanceFiles files, string disk, CancellationToken cancellationToken)
    {
        RequireSpace(files, HostFiles.AllocatedBytes(disk));
        await ReplaceAsync(files, disk, keepBacking: true, cancellationToken).ConfigureAwait(false);
    }

    private static async Task ReplaceAsync(InstanceFiles files, string disk, bool keepBacking, CancellationToken cancellationToken)
    {
        var aside = files.StateDisk + ".tmp";
        File.Delete(aside);
        try
        {
            await QemuImg.Require().CopyAsync(disk, aside, keepBacking, files.VmmLog, cancellationToken).ConfigureAwait(false);
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
        if (DiskImage.BackingOf(disk) is { } below && Path.GetDirectoryName(below) == source.Root && await tool.IsUntouchedAsync(disk, cancellationToken).ConfigureAwait(false))
            return below;

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
