using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>A suspended instance of a test's own, of which files can be replaced and put back.</summary>
internal sealed class SuspendedCopy(TestHome home)
{
    internal const string Name = "asleep";

    /// <summary>In the guest: a file that its disk has as <c>later</c>, and one that is <c>remembered</c> by its memory alone.</summary>
    internal const string OnDisk = "/var/lib/openshell/on-disk", InMemory = "/run/in-memory-only";

    private readonly Stack<string> _replaced = new();

    internal GatewayCli Gateway { get; } = new(home);

    internal InstanceFiles Files { get; } = InstanceFiles.For(home.Directories, InstanceName.Parse(Name));

    internal Snapshot Snapshot => new(Files);

    /// <summary>What is written down of its memory.</summary>
    internal string RecordFile => Path.Combine(Files.Snapshot, Snapshot.RecordName);

    /// <summary>The folder of a memory that its disk has moved on from.</summary>
    internal string Earlier => Path.Combine(home.Data, "earlier");

    /// <summary>Starts it: from its memory, if it can be, or with <c>--start resume</c> not at all.</summary>
    internal Task<Finished> UpAsync(params IEnumerable<string> options) => Gateway.StartAsync(["up", "--detach", "--name", Name, "--timeout", "20m", .. options]);

    /// <summary>Goes on from its memory, which must fit.</summary>
    internal async Task ResumeAsync()
    {
        (await UpAsync([.. GoldenFixture.Shape, "--start", "resume"])).OrFail();
        CopyChecks.Stage(await StatusAsync(), "kernel").ShouldBe("skipped");
        (await InGuestAsync($"cat {InMemory}")).Trim().ShouldBe("remembered");
    }

    internal async Task<JsonElement> StatusAsync() => JsonSerializer.Deserialize<JsonElement>((await Gateway.RunAsync("status", "--name", Name, "--output", "json")).OrFail());

    internal async Task<string> InGuestAsync(string script) => (await Gateway.RunAsync("exec", "--name", Name, "--", "sh", "-c", script)).OrFail();

    internal async Task StopAsync() => await Gateway.RunAsync("stop", "--name", Name, "--force");

    /// <summary>All that a start that is refused keeps, by what the file system says of it; a second name, or another mode, is no change.</summary>
    internal IReadOnlyList<(string Path, FileStamp Stamp)> Contents() =>
    [
        .. Directory.EnumerateFiles(Files.Snapshot).Concat(DiskLineage.Bases(Files)).Concat([Files.StateDisk, Files.MemoryBase, Files.Generation, Files.Origin]).Where(File.Exists).Order(StringComparer.Ordinal)
            .Select(path => (path, HostFiles.Stamp(path)! with { ChangedNanoseconds = 0 })),
    ];

    /// <summary>Moves a file, or a folder, out of its place for another, until <see cref="Undo"/>: the same file then, and not a copy of it.</summary>
    /// <returns>Where it is meanwhile.</returns>
    internal string Replace(string path)
    {
        var kept = KeptOf(path);
        Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
        Directory.Move(path, kept);
        _replaced.Push(path);
        return kept;
    }

    /// <summary>Writes down something else of its memory, with the seal that belongs to that.</summary>
    internal void WriteDown(Func<SnapshotRecord, SnapshotRecord> change)
    {
        var record = Snapshot.Read();
        Replace(RecordFile);
        Snapshot.Write(Files.Snapshot, change(record));
    }

    /// <summary>Puts back all that was replaced.</summary>
    internal void Undo()
    {
        while (_replaced.TryPop(out var path))
        {
            HostFiles.DeleteFolder(path);
            File.Delete(path);
            Directory.Move(KeptOf(path), path);
        }
    }

    private string KeptOf(string path) => Path.Combine(home.Data, "kept", Path.GetFileName(path));
}
