using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary><c>gateway image verify</c> of a golden image and of the memory of a suspended instance: copies of real ones, since what was written to is not used again.</summary>
[Collection(SuspendedMemories.Name)]
public sealed class VerifiedMemoryTests(SuspendedFixture suspended) : IAsyncLifetime
{
    private readonly TestHome _home = new();

    private string Cache => Path.Combine(_home.Root, "cache");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await suspended.RequireAsync();

    public ValueTask DisposeAsync()
    {
        _home.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task One_flipped_bit_is_found_in_any_file_and_what_was_put_right_is_as_it_was()
    {
        var image = await suspended.CopyImageAsync(Path.Combine(Cache, "openshell-vm"));
        var copy = await suspended.CopyAsync(_home, apart: true);
        string[] files = [.. Directory.EnumerateFiles(image.Folder).Where(path => path != image.Record), .. new[] { copy.Snapshot.Machine, copy.Snapshot.Pages, copy.Files.MemoryBase }.Where(File.Exists)];
        (await FaultsAsync()).ShouldBeEmpty();

        // One in each file at a time. What is hashed is hashed by file: one is found or not whatever is wrong with the others.
        foreach (var place in new Func<string, long>[] { _ => 0, AnyOfData, AnyBit, LastBit })
        {
            var bits = files.ToDictionary(path => path, place);
            Flip(bits);
            var faults = await FaultsAsync();
            foreach (var (path, bit) in bits)
                faults.Count(fault => fault.Contains($"{path} is damaged", StringComparison.Ordinal)).ShouldBe(1, $"bit {bit} of {path}: {string.Join('\n', faults)}");
            faults.Count.ShouldBe(files.Length);
            Flip(bits);
        }

        // Read and sealed: nothing is hashed where that is not as it was.
        await EveryByteAsync(image.Record, () => GoldenStore.VerifyAsync(image, null, Cancelled));
        await EveryByteAsync(copy.RecordFile, () => copy.Snapshot.VerifyAsync(null, Cancelled));
        (await FaultsAsync()).ShouldBeEmpty();
    }

    /// <summary>What the command says is wrong.</summary>
    private async Task<IReadOnlyList<string>> FaultsAsync()
    {
        var verify = await GatewayCli.StartAsync(new Dictionary<string, string?>(_home.Environment) { ["XDG_CACHE_HOME"] = Cache }, "image", "verify", "--output", "json");
        using var json = JsonDocument.Parse(verify.Output);
        string[] faults = [.. json.RootElement.GetProperty("faults").EnumerateArray().Select(fault => fault.GetProperty("what").GetString()!)];
        (verify.ExitCode, json.RootElement.GetProperty("ok").GetBoolean()).ShouldBe(faults.Length == 0 ? (0, true) : (1, false), verify.ToString());
        json.RootElement.GetProperty("verified").GetArrayLength().ShouldBe(faults.Any(fault => fault.StartsWith("The golden image", StringComparison.Ordinal)) ? 0 : 1);
        return faults;
    }

    private static async Task EveryByteAsync(string path, Func<Task<IReadOnlyList<Fault>>> verify)
    {
        for (long at = 0, length = new FileInfo(path).Length; at < length; at++)
        {
            var bit = new Dictionary<string, long> { [path] = (at * 8) + (at % 8) };
            Flip(bit);
            (await verify()).ShouldNotBeEmpty($"bit {at % 8} of byte {at} of {path}");
            Flip(bit);
        }
    }

    private static long AnyBit(string path) => Random.Shared.NextInt64(new FileInfo(path).Length * 8);

    private static long LastBit(string path) => (new FileInfo(path).Length * 8) - 1;

    /// <summary>One that is not in a hole: of a machine's memory most is one.</summary>
    private static long AnyOfData(string path)
    {
        var bit = AnyBit(path);
        using var file = File.OpenHandle(path);
        var data = Libc.NextData(file, bit / 8);
        return data < new FileInfo(path).Length ? (data * 8) + (bit % 8) : bit;
    }

    private static void Flip(Dictionary<string, long> bits)
    {
        foreach (var (path, bit) in bits)
        {
            // By another name it is somebody else's, whom it would damage.
            HostFiles.FreedBytes(path).ShouldBe(HostFiles.AllocatedBytes(path), $"{path} has no other name");
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
            file.Seek(bit / 8, SeekOrigin.Begin);
            var value = file.ReadByte();
            file.Seek(bit / 8, SeekOrigin.Begin);
            file.WriteByte((byte)(value ^ (1 << (int)(bit % 8))));
        }
    }
}
