using OpenShell.Vm.Disks;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Snapshots;

internal sealed partial class Snapshot
{
    /// <summary>
    /// After the disk was cloned: what both stand on now is an empty image over what it was, so the memory fits either, and that is written down. The clone's is a second name of the same file,
    /// since nobody ever writes to it; it has none where the guest could not be told that it is another's. (Cut off in between, the source's memory does not fit, and it boots from its disk.)
    /// </summary>
    /// <param name="record">What was written down before.</param>
    /// <param name="folder">The clone's folder, with its disk in it and nothing else.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task FollowCloneAsync(SnapshotRecord record, string folder, CancellationToken cancellationToken)
    {
        AtomicFile.WriteJson(Path.Combine(Folder, RecordName), record with { Disk = DiskState.Of(files) }, SnapshotJson.Default.SnapshotRecord);
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
        AtomicFile.WriteJson(Path.Combine(copy, RecordName), its, SnapshotJson.Default.SnapshotRecord);
        HostFiles.SyncFolder(copy);
    }

    /// <summary>A second name for a file that nobody writes to; a copy where the file system has no such thing.</summary>
    internal static async Task GiveAlongAsync(string from, string to, CancellationToken cancellationToken)
    {
        if (Libc.Link(from, to) != 0)
            await SparseCopy.MakeAsync(from, to, cancellationToken).ConfigureAwait(false);
    }
}
