using OpenShell.Vm.Disks;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Snapshots;

internal sealed partial class Snapshot
{
    /// <summary>
    /// After the disk was cloned, or was about to be: what it stands on now may be an empty image over what it was, so the memory fits it, and that is written down. (Cut off in between by a power loss, the memory does not fit,
    /// and its instance boots from its disk.)
    /// </summary>
    /// <param name="record">What was written down before.</param>
    internal void FollowDisk(SnapshotRecord record) => Write(Folder, record with { Disk = DiskState.Of(files) });

    /// <summary>Gives a clone second names of its files, since nobody ever writes to them; nothing where the guest could not be told that it is another's.</summary>
    /// <param name="record">What was written down before.</param>
    /// <param name="folder">The clone's folder, with its disk in it and nothing else.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task GiveToCloneAsync(SnapshotRecord record, string folder, CancellationToken cancellationToken)
    {
        if (record.Identity is null)
            return;
        var disk = Directory.EnumerateFiles(folder).Single();
        if (record.Delivery is not null)
            await GiveAlongAsync(files.DeliveryDisk, Path.Combine(folder, Path.GetFileName(files.DeliveryDisk)), cancellationToken).ConfigureAwait(false);
        AtomicFile.Write(Path.Combine(folder, Path.GetFileName(files.Generation)), File.ReadAllBytes(files.Generation));
        var copy = Path.Combine(folder, Path.GetFileName(Folder));
        PrivateFolder.Ensure(copy);
        await GiveAlongAsync(Machine, Path.Combine(copy, MachineName), cancellationToken).ConfigureAwait(false);
        if (record.Pages is not null)
            await GiveAlongAsync(Pages, Path.Combine(copy, PagesName), cancellationToken).ConfigureAwait(false);
        if (record.Base is not null)
            await GiveAlongAsync(files.MemoryBase, Path.Combine(folder, Path.GetFileName(files.MemoryBase)), cancellationToken).ConfigureAwait(false);
        var its = record with { Disk = DiskState.Of(disk, record.Disk.Generation), Machinery = record.Machinery.At(copy), Pages = record.Pages?.At(copy), Base = record.Base?.At(folder) };
        Write(copy, its);
        HostFiles.SyncFolder(copy);
    }

    /// <summary>A second name for a file that nobody writes to; a copy where the file system has no such thing.</summary>
    internal static async Task GiveAlongAsync(string from, string to, CancellationToken cancellationToken)
    {
        if (Libc.Link(from, to) != 0)
            await SparseCopy.MakeAsync(from, to, cancellationToken).ConfigureAwait(false);
    }
}
