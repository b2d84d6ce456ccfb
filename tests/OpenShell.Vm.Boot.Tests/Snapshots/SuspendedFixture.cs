using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>
/// An instance that began as a copy of a golden image, was suspended, went on, and was suspended again. It is never started after that: each test has another of the same disk and memory, to do with as it likes,
/// and none of them costs a boot.
/// </summary>
public sealed class SuspendedFixture : IAsyncLifetime
{
    private readonly GoldenFixture _golden = new();
    private Task? _suspended;

    // Its first memory, which its disk has moved on from.
    private SnapshotRecord? _earlier;

    private InstanceFiles Files => InstanceFiles.For(_golden.Home.Directories, InstanceName.Parse(SuspendedCopy.Name));

    private string Earlier => Path.Combine(_golden.Home.Root, "earlier");

    private GoldenFiles? Image { get; set; }

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    internal async Task RequireAsync()
    {
        await _golden.RequireAsync();
        await (_suspended ??= SuspendAsync());
    }

    /// <summary>What its files take, in bytes.</summary>
    internal long Bytes => Directory.EnumerateFiles(Files.Root, "*", SearchOption.AllDirectories).Concat(Directory.EnumerateFiles(Earlier)).Sum(HostFiles.AllocatedBytes);

    /// <summary>The same instance for somebody else, at rest.</summary>
    /// <param name="home">Whose.</param>
    /// <param name="apart">What is never written to is a file of its own, which a test may damage; otherwise another name for the golden image's, where there can be one.</param>
    internal async Task<SuspendedCopy> CopyAsync(TestHome home, bool apart = false)
    {
        var copy = new SuspendedCopy(home);
        PrivateFolder.Ensure(copy.Files.Root);
        foreach (var path in new[] { Files.Config, Files.Status, Files.Origin, Files.Generation, Files.StateDisk })
            await SparseCopy.MakeAsync(path, InCopy(path), Cancelled);
        var give = apart ? SparseCopy.MakeAsync : (Func<string, string, CancellationToken, Task>)Snapshot.GiveAlongAsync;
        foreach (var path in DiskLineage.Bases(Files).Append(Files.MemoryBase).Where(File.Exists))
            await give(path, InCopy(path), Cancelled);
        await GiveMemoryAsync(new Snapshot(Files).Read() with { Disk = DiskState.Of(copy.Files) }, Files.Snapshot, copy.Files.Snapshot, copy.Files, give);
        await GiveMemoryAsync(_earlier!, Earlier, copy.Earlier, copy.Files, give);
        return copy;

        string InCopy(string path) => Path.Combine(copy.Files.Root, Path.GetFileName(path));
    }

    /// <summary>A copy of the golden image in an image cache that has nothing else.</summary>
    internal async Task<GoldenFiles> CopyImageAsync(string cache)
    {
        var copy = new GoldenFiles(Path.Combine(new CacheLayout(cache).Golden, Path.GetFileName(Image!.Folder)));
        Directory.CreateDirectory(copy.Folder);
        foreach (var path in Directory.EnumerateFiles(Image.Folder))
            await SparseCopy.MakeAsync(path, Path.Combine(copy.Folder, Path.GetFileName(path)), Cancelled);
        return copy;
    }

    public ValueTask InitializeAsync() => _golden.InitializeAsync();

    public ValueTask DisposeAsync() => _golden.DisposeAsync();

    private async Task SuspendAsync()
    {
        var status = await _golden.ResumeAsync(SuspendedCopy.Name);
        Image = new GoldenStore(_golden.Home.Directories).Files(status.GetProperty("cloneOf").GetString()!.Split(' ')[^1]);
        await _golden.InGuestAsync(SuspendedCopy.Name, $"echo before > {SuspendedCopy.OnDisk}; echo remembered > {SuspendedCopy.InMemory}");
        (await _golden.Gateway.RunAsync("suspend", "--name", SuspendedCopy.Name)).OrFail();
        _earlier = new Snapshot(Files).Read();
        await GiveMemoryAsync(_earlier, Files.Snapshot, Earlier, Files, Snapshot.GiveAlongAsync);

        await _golden.ResumeAsync(SuspendedCopy.Name);
        await _golden.InGuestAsync(SuspendedCopy.Name, $"echo later > {SuspendedCopy.OnDisk}");
        (await _golden.Gateway.RunAsync("suspend", "--name", SuspendedCopy.Name)).OrFail();
    }

    /// <summary>A memory in another folder, of the same machine and by its hashes the same, as if it had been saved there.</summary>
    private static async Task GiveMemoryAsync(SnapshotRecord record, string from, string to, InstanceFiles files, Func<string, string, CancellationToken, Task> give)
    {
        PrivateFolder.Ensure(to);
        foreach (var file in new[] { record.Machinery, record.Pages }.OfType<SavedFile>())
            await give(Path.Combine(from, file.Name), Path.Combine(to, file.Name), Cancelled);
        Snapshot.Write(to, record with { Machinery = record.Machinery.At(to), Pages = record.Pages?.At(to), Base = record.Base?.At(files.Root) });
    }
}

/// <summary>The tests that share it.</summary>
[CollectionDefinition(Name)]
public sealed class SuspendedMemories : ICollectionFixture<SuspendedFixture>
{
    public const string Name = "suspended memories";
}
