using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Tests.Images.Formats;

public sealed class CpioWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Cpio_lists_what_was_written_with_modes_owners_and_devices()
    {
        var archive = Write(_folder.File("a.cpio"));

        var listing = (await HostTool.RunAsync("cpio", ["-itv", "--quiet"], archive)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        listing.ShouldContain(l => l.StartsWith("crw-------   1 root     root       5,   1", StringComparison.Ordinal) && l.EndsWith(" dev/console", StringComparison.Ordinal));
        listing.ShouldContain(l => l.StartsWith("-rwxr-xr-x   1 root     root            5 ", StringComparison.Ordinal) && l.EndsWith(" init", StringComparison.Ordinal));
        listing.ShouldContain(l => l.StartsWith("-rw-r--r-- ", StringComparison.Ordinal) && l.EndsWith(" lib/modules/boot.list", StringComparison.Ordinal));
        listing.ShouldContain(l => l.StartsWith("lrwxrwxrwx ", StringComparison.Ordinal) && l.EndsWith(" sh -> bin/busybox", StringComparison.Ordinal));
        listing.Count(l => l.StartsWith('d')).ShouldBe(3, "dev, lib and lib/modules, each once");
    }

    [Fact]
    public async Task Cpio_unpacks_the_same_bytes()
    {
        var archive = Write(_folder.File("a.cpio"));
        var unpacked = Directory.CreateDirectory(_folder.File("out")).FullName;

        await HostTool.RunAsync("cpio", ["-idm", "--quiet", "-D", unpacked, "init", "lib/modules/boot.list"], archive);

        (await File.ReadAllTextAsync(Path.Combine(unpacked, "init"), TestContext.Current.CancellationToken)).ShouldBe("hello");
        (await File.ReadAllTextAsync(Path.Combine(unpacked, "lib/modules/boot.list"), TestContext.Current.CancellationToken)).ShouldBe("one\ntwo\nthree\n");
    }

    [Fact]
    public void Equal_contents_give_equal_bytes() =>
        File.ReadAllBytes(Write(_folder.File("a.cpio"))).ShouldBe(File.ReadAllBytes(Write(_folder.File("b.cpio"))));

    private static string Write(string path)
    {
        using var stream = File.Create(path);
        using var cpio = new CpioWriter(stream);
        cpio.AddFolder("dev");
        cpio.AddCharacterDevice("dev/console", 5, 1);
        cpio.AddFile("init", "hello"u8, executable: true);
        cpio.AddFile("lib/modules/boot.list", "one\ntwo\nthree\n"u8, executable: false);
        cpio.AddFolder("lib/modules");
        cpio.AddLink("sh", "bin/busybox");
        return path;
    }
}
