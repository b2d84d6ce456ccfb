using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Snapshots;

public sealed class SparseHashTests : IDisposable
{
    private const int Length = (5 << 20) + 123;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task It_is_of_the_content_whichever_zeros_are_holes()
    {
        var (sparse, full) = (Made("sparse", (3 << 20) + 5, 7), _folder.File("full"));
        await File.WriteAllBytesAsync(full, await File.ReadAllBytesAsync(sparse, Token), Token);
        (await HashAsync(full)).ShouldBe(await HashAsync(sparse));
        (await HashAsync(sparse)).Length.ShouldBe(64);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData((3 << 20) + 5)]
    [InlineData(Length - 1)]
    public async Task One_byte_more_or_another_or_at_another_place_is_another_hash(int at)
    {
        var zeros = await HashAsync(Made("zeros", 0, 0));
        var one = await HashAsync(Made("one", at, 1));
        string[] others = [zeros, await HashAsync(Made("two", at, 2)), await HashAsync(Made("moved", (at + 4096) % Length, 1))];
        others.ShouldNotContain(one);
    }

    [Fact]
    public async Task A_file_that_is_cut_off_in_its_zeros_has_another()
    {
        var path = Made("file", 10, 1);
        var before = await HashAsync(path);
        using (var file = new FileStream(path, FileMode.Open))
            file.SetLength(Length - 1);
        (await HashAsync(path)).ShouldNotBe(before);
    }

    [Fact]
    public async Task Whoever_waits_is_told_of_as_many_bytes_as_there_are()
    {
        long told = 0;
        await SparseHash.OfAsync(Made("file", 3 << 20, 1), bytes => told += bytes, Token);
        told.ShouldBe(Length);
        await File.WriteAllBytesAsync(_folder.File("empty"), [], Token);
        await HashAsync(_folder.File("empty"));
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Task<string> HashAsync(string path) => SparseHash.OfAsync(path, null, Token);

    private string Made(string name, long at, byte value)
    {
        using var file = new FileStream(_folder.File(name), FileMode.Create);
        file.SetLength(Length);
        if (value == 0)
            return file.Name;
        file.Seek(at, SeekOrigin.Begin);
        file.WriteByte(value);
        return file.Name;
    }
}
