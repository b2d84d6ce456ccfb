using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Snapshots;

/// <summary>A suspended instance's memory, in a folder that is there whole or not at all. It is used up when its machine goes on.</summary>
internal sealed partial class Snapshot(InstanceFiles files)
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

    /// <summary>What is written down of it. One of another layout is returned as far as it can be read: whoever takes it looks at that first.</summary>
    /// <exception cref="FaultException">It cannot be read, or is not as it was written.</exception>
    internal SnapshotRecord Read() => InstanceStore.Read(Record, ReadSealed) ?? throw new FaultException(InstanceStore.Broken(Record, "it is incomplete"));

    private SnapshotRecord? ReadSealed(byte[] content)
    {
        if (JsonSerializer.Deserialize(content, SnapshotJson.Default.SnapshotRecord) is not { } record)
            return null;

        return record.Format != SnapshotRecord.CurrentFormat || RecordSeal.Fits(content, record.Sealed(), SnapshotJson.Default.SnapshotRecord) ? record : throw new FaultException(InstanceStore.Broken(Record, "it was changed since it was written"));
    }

    private string Record => Path.Combine(Folder, RecordName);

    /// <summary>Writes down what a memory belongs to.</summary>
    internal static void Write(string folder, SnapshotRecord record) => AtomicFile.WriteJson(Path.Combine(folder, RecordName), record.Sealed(), SnapshotJson.Default.SnapshotRecord);

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
            if (record.Format != SnapshotRecord.CurrentFormat)
                return [InstanceStore.Broken(Record, "it was saved by another version of this program, and only that can verify it")];
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
