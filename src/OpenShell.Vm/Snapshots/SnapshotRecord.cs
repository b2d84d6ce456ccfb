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
    internal const int CurrentFormat = 2;

    /// <inheritdoc cref="CurrentFormat"/>
    public required int Format { get; init; }

    /// <summary>The machine.</summary>
    public required MachineIdentity Machine { get; init; }

    /// <summary>Whether its memory was an object of its own (<see cref="Planning.GuestMemory"/>), which names it otherwise.</summary>
    public required bool NamesMemory { get; init; }

    /// <summary>The disk of that instant.</summary>
    public required DiskState Disk { get; init; }

    /// <summary>The machine's state, with its memory where <see cref="Pages"/> is <see langword="null"/>.</summary>
    public required SavedFile Machinery { get; init; }

    /// <summary>The pages that the machine had for itself.</summary>
    public SavedFile? Pages { get; init; }

    /// <summary>What they lie over, in the instance's folder; <see langword="null"/>: nothing.</summary>
    public SavedFile? Base { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>The digest of what was given along, which is a disk of the machine and in its memory; <see langword="null"/>: nothing was.</summary>
    public string? Delivery { get; init; }

    /// <summary>Whether pods may reach the host's loopback: the guest's firewall is in its memory.</summary>
    public bool AllowHostLoopback { get; init; }

    /// <summary>The digest of the proxies that its services were started with; <see langword="null"/>: none.</summary>
    public string? Proxy { get; init; }

    /// <summary>The identity that the guest had; <see langword="null"/>: that of an instance which is no clone. Another one must be told who it is.</summary>
    public string? Identity { get; init; }
}

/// <summary>A suspended instance's memory, in a folder that is there whole or not at all. It is used up when its machine goes on.</summary>
internal sealed class Snapshot(InstanceFiles files)
{
    internal const string MachineName = "machine.state", PagesName = "memory.pages", RecordName = "machine.json";

    /// <summary>Its folder.</summary>
    internal string Folder => files.Snapshot;

    /// <summary>Where one is made, before it takes that folder's place.</summary>
    internal string Aside => Folder + ".new";

    /// <summary>The machine's state.</summary>
    internal string Machine => Path.Combine(Folder, MachineName);

    /// <summary>The pages that it had for itself.</summary>
    internal string Pages => Path.Combine(Folder, PagesName);

    /// <summary>What it takes on the disk, in bytes; without what it lies over, which is the golden image's.</summary>
    internal long Bytes => Exists ? Directory.EnumerateFiles(Folder).Sum(HostFiles.AllocatedBytes) : 0;

    /// <summary>Whether there is one.</summary>
    internal bool Exists => Directory.Exists(Folder);

    /// <summary>What is written down of it.</summary>
    /// <exception cref="FaultException">It cannot be read.</exception>
    internal SnapshotRecord Read() =>
        InstanceStore.Read(Path.Combine(Folder, RecordName), SnapshotJson.Default.SnapshotRecord) is { Machine: not null, Disk: { Chain: not null }, Machinery: { Stamp: not null } } record
            ? record
            : throw new FaultException(InstanceStore.Broken(Path.Combine(Folder, RecordName), "it is incomplete"));

    /// <summary>Why it cannot be gone on from; empty where it can.</summary>
    internal IReadOnlyList<string> WhyUnfit(SnapshotRecord record, MachineIdentity now, InstanceConfig config, string? delivery)
    {
        if (record.Format != SnapshotRecord.CurrentFormat)
            return ["it was saved by another version of this program"];
        return [.. record.Machine.Differences(now), .. Changes(record), .. Given(record, config, delivery)];
    }

    /// <summary>What a start opens or gives along holds for the start that says so: a memory in which it is otherwise is not gone on from. One that is given nothing goes on with what it has.</summary>
    private static IEnumerable<string> Given(SnapshotRecord record, InstanceConfig config, string? delivery)
    {
        if (delivery is not null && delivery != record.Delivery)
            yield return "what is given along (manifests, images, charts, authorities, mirrors) is not what it was given";
        if (config.AllowHostLoopback != record.AllowHostLoopback)
            yield return record.AllowHostLoopback ? "its pods may reach the host's loopback, and this start does not allow it" : "its pods may not reach the host's loopback, and this start allows it";
        if (GoldenKey.ProxyDigest(config) != record.Proxy)
            yield return "it was started with other proxies";
    }

    /// <summary>How its files, or the disk that it belongs to, are not what they were. Of the files' names, a clone may have one.</summary>
    private IEnumerable<string> Changes(SnapshotRecord record) =>
        new[] { record.Machinery.Change(Folder, isShared: true), record.Pages?.Change(Folder, isShared: true), record.Base?.Change(files.Root, isShared: true), record.Disk.Change(files) }.OfType<string>();

    /// <summary>Hashes all of it anew.</summary>
    internal async Task<IReadOnlyList<Fault>> VerifyAsync(Action<long>? onBytes, CancellationToken cancellationToken)
    {
        var faults = new List<Fault>();
        try
        {
            var record = Read();
            foreach (var (file, folder) in new[] { (record.Machinery, Folder), (record.Pages, Folder), (record.Base, files.Root) })
            {
                if (file is not null && await file.VerifyAsync(folder, onBytes, cancellationToken).ConfigureAwait(false) is { } fault)
                    faults.Add(fault);
            }
        }
        catch (FaultException e)
        {
            faults.AddRange(e.Faults);
        }

        return faults;
    }

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

    /// <summary>Removes what an interrupted save or removal left: nothing ever reads it.</summary>
    internal void RemoveRemains()
    {
        HostFiles.DeleteFolder(Aside);
        HostFiles.DeleteFolder(Used);
    }

    /// <summary>What that takes on the disk, in bytes.</summary>
    internal long RemainsBytes => new[] { Aside, Used }.Where(Directory.Exists).SelectMany(Directory.EnumerateFiles).Sum(HostFiles.AllocatedBytes);

    private string Used => Folder + ".used";

    /// <summary>Removes it; under another name first, so that what is left of an interrupted removal is none.</summary>
    internal void Remove()
    {
        if (!Exists)
            return;
        HostFiles.DeleteFolder(Used);
        Directory.Move(Folder, Used);
        HostFiles.DeleteFolder(Used);
    }
}
