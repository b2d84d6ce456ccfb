using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Snapshots;

/// <summary>What is written down of a suspended instance's machine, as <c>machine.json</c> beside its memory.</summary>
internal sealed record SnapshotRecord
{
    /// <summary>The layout: another one is refused.</summary>
    internal const int CurrentFormat = 1;

    /// <inheritdoc cref="CurrentFormat"/>
    public required int Format { get; init; }

    /// <summary>The machine.</summary>
    public required MachineIdentity Machine { get; init; }

    /// <summary>Whether its memory was an object of its own (<see cref="Planning.GuestMemory"/>), which names it otherwise.</summary>
    public required bool NamesMemory { get; init; }

    /// <summary>The disk of that instant.</summary>
    public required DiskState Disk { get; init; }

    /// <summary>The machine's state with its memory.</summary>
    public required SavedFile Machinery { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>The identity that the guest had; <see langword="null"/>: that of an instance which is no clone. Another one must be told who it is.</summary>
    public string? Identity { get; init; }
}

/// <summary>A suspended instance's memory, in a folder that is there whole or not at all. It is used up when its machine goes on.</summary>
internal sealed class Snapshot(InstanceFiles files)
{
    internal const string MachineName = "machine.state", RecordName = "machine.json";

    /// <summary>Its folder.</summary>
    internal string Folder => files.Snapshot;

    /// <summary>Where one is made, before it takes that folder's place.</summary>
    internal string Aside => Folder + ".new";

    /// <summary>The machine's state with its memory.</summary>
    internal string Machine => Path.Combine(Folder, MachineName);

    /// <summary>Whether there is one.</summary>
    internal bool Exists => Directory.Exists(Folder);

    /// <summary>What is written down of it.</summary>
    /// <exception cref="FaultException">It cannot be read.</exception>
    internal SnapshotRecord Read() =>
        InstanceStore.Read(Path.Combine(Folder, RecordName), SnapshotJson.Default.SnapshotRecord) is { Machine: not null, Disk: { Chain: not null }, Machinery: { Stamp: not null } } record
            ? record
            : throw new FaultException(InstanceStore.Broken(Path.Combine(Folder, RecordName), "it is incomplete"));

    /// <summary>Why it cannot be gone on from; empty where it can.</summary>
    internal IReadOnlyList<string> WhyUnfit(SnapshotRecord record, MachineIdentity now)
    {
        if (record.Format != SnapshotRecord.CurrentFormat)
            return ["it was saved by another version of this program"];
        return [.. record.Machine.Differences(now), .. Changes(record)];
    }

    /// <summary>How its file, or the disk that it belongs to, is not what it was. Of the file's names, a clone may have one.</summary>
    private IEnumerable<string> Changes(SnapshotRecord record) => new[] { record.Machinery.Change(Folder, isShared: true), record.Disk.Change(files) }.OfType<string>();

    /// <summary>What is written down of it, where it fits the disk as that is now; otherwise <see langword="null"/>.</summary>
    internal SnapshotRecord? ReadFitting()
    {
        if (!Exists)
            return null;
        try
        {
            return Read() is { Format: SnapshotRecord.CurrentFormat } record && !Changes(record).Any() ? record : null;
        }
        catch (FaultException)
        {
            return null;
        }
    }

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
        AtomicFile.Write(Path.Combine(folder, Path.GetFileName(files.Generation)), File.ReadAllBytes(files.Generation));
        var copy = Path.Combine(folder, Path.GetFileName(Folder));
        PrivateFolder.Ensure(copy);
        if (Libc.Link(Machine, Path.Combine(copy, MachineName)) != 0)
            await SparseCopy.MakeAsync(Machine, Path.Combine(copy, MachineName), cancellationToken).ConfigureAwait(false);
        var its = record with { Disk = DiskState.Of(disk, record.Disk.Generation), Machinery = record.Machinery.At(copy) };
        AtomicFile.WriteJson(Path.Combine(copy, RecordName), its, SnapshotJson.Default.SnapshotRecord);
        HostFiles.SyncFolder(copy);
    }

    /// <summary>Removes it; under another name first, so that what is left of an interrupted removal is none.</summary>
    internal void Remove()
    {
        if (!Exists)
            return;
        var aside = Folder + ".used";
        if (Directory.Exists(aside))
            Directory.Delete(aside, recursive: true);
        Directory.Move(Folder, aside);
        Directory.Delete(aside, recursive: true);
    }
}
