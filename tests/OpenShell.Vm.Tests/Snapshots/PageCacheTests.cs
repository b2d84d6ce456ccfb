using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Snapshots;

public sealed class PageCacheTests : IDisposable
{
    private const int MiB = 1 << 20;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_read_is_there_and_holes_do_not_count()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "mincore(2) tells of files under Linux only");
        var path = _folder.File("sparse");
        using (var file = new FileStream(path, FileMode.Create))
        {
            file.SetLength(64 * MiB);
            file.Seek(40 * MiB, SeekOrigin.Begin);
            file.Write(new byte[8 * MiB]);
            file.Flush(flushToDisk: true);
        }

        PageCache.ShareOf(path).ShouldBe(1, "it was written a moment ago");
        using (var drop = System.Diagnostics.Process.Start("dd", ["if=" + path, "iflag=nocache", "count=0", "status=none"]))
            await drop.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.SkipWhen(PageCache.ShareOf(path) > 0.5, "this file system keeps what it was told to forget");

        await PageCache.EnsureAsync([path, _folder.File("missing")], TestContext.Current.CancellationToken);
        PageCache.ShareOf(path).ShouldBe(1);
    }

    [Fact]
    public void A_file_without_data_is_there() => PageCache.ShareOf(Empty(MiB)).ShouldBe(1);

    private string Empty(long length)
    {
        using var file = new FileStream(_folder.File("empty"), FileMode.Create);
        file.SetLength(length);
        return file.Name;
    }
}
