using OpenShell.Vm.Disks;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Tests.Disks;

public sealed class SparseCopyTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ovt-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Zeros_become_holes_and_everything_else_is_as_it_was()
    {
        var content = new byte[(5 << 20) + 777];
        new Random(1).NextBytes(content.AsSpan(0, 5000));
        new Random(2).NextBytes(content.AsSpan((3 << 20) - 100, 9000));
        content[^1] = 1;
        var (from, to) = (Path.Combine(_folder.FullName, "from"), Path.Combine(_folder.FullName, "to"));
        await File.WriteAllBytesAsync(from, content, TestContext.Current.CancellationToken);
        await SparseCopy.MakeAsync(from, to, TestContext.Current.CancellationToken);

        (await File.ReadAllBytesAsync(to, TestContext.Current.CancellationToken)).AsSpan().SequenceEqual(content).ShouldBeTrue();
        HostFiles.AllocatedBytes(to).ShouldBeLessThan(200_000);
    }

    [Fact]
    public void Runs_of_data_are_whole_blocks_and_end_with_the_content()
    {
        var buffer = new byte[5 * 4096];
        buffer[4096 + 5] = 1;
        buffer[(2 * 4096) + 5] = 1;
        buffer[(4 * 4096) + 5] = 1;
        SparseCopy.Data(buffer, (4 * 4096) + 100).ShouldBe([(4096, 8192), (4 * 4096, 100)]);
        SparseCopy.Data(new byte[8192], 8192).ShouldBeEmpty();
    }
}
