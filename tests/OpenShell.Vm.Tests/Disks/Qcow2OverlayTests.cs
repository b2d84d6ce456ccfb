using System.Diagnostics;
using System.Text.Json;
using OpenShell.Vm.Disks;

namespace OpenShell.Vm.Tests.Disks;

/// <summary>What is written by hand here is held to what QEMU's own tool writes, and reads.</summary>
public sealed class Qcow2OverlayTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("ovt-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(20L << 30)]
    [InlineData(4L << 30)]
    [InlineData((20L << 30) + 512)]
    [InlineData(5L << 40)]
    public async Task It_is_what_qemu_img_makes(long size)
    {
        var backing = await MakeAsync("base.qcow2", size);
        var ours = Path.Combine(_folder.FullName, "ours.qcow2");
        var theirs = Path.Combine(_folder.FullName, "theirs.qcow2");
        Qcow2Overlay.Create(ours, backing, backingIsRaw: false, size);
        await QemuImgAsync("create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on", "-b", backing, "-F", "qcow2", theirs);

        (await QemuImgAsync("check", ours)).ShouldContain("No errors were found");
        Facts(await QemuImgAsync("info", "--output=json", ours)).ShouldBe(Facts(await QemuImgAsync("info", "--output=json", theirs)));
        DiskImage.VirtualSize(ours).ShouldBe(size);
        DiskImage.BackingOf(ours).ShouldBe(backing);
    }

    [Fact]
    public async Task What_lies_below_is_read_and_what_is_written_stays_above()
    {
        var backing = await MakeAsync("base.qcow2", 64 << 20);
        await QemuIoAsync(backing, "write -P 0x11 0 1M");
        var overlay = Path.Combine(_folder.FullName, "overlay.qcow2");
        Qcow2Overlay.Create(overlay, "base.qcow2", backingIsRaw: false, 64 << 20);

        await QemuIoAsync(overlay, "read -P 0x11 0 1M");
        await QemuIoAsync(overlay, "write -P 0x22 512k 128k");
        await QemuIoAsync(overlay, "read -P 0x22 512k 128k", "read -P 0x11 0 512k", "read -P 0x11 640k 384k");
        await QemuIoAsync(backing, "read -P 0x11 0 1M");
        (await QemuImgAsync("check", overlay)).ShouldContain("No errors were found");
    }

    [Fact]
    public void It_is_its_owners_alone_and_takes_no_space()
    {
        var path = Path.Combine(_folder.FullName, "overlay.qcow2");
        Qcow2Overlay.Create(path, "/some/where/else.img", backingIsRaw: true, 20L << 30);
        File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        new FileInfo(path).Length.ShouldBe(4 * 65536);
        Should.Throw<IOException>(() => Qcow2Overlay.Create(path, "/some/where/else.img", backingIsRaw: true, 1 << 30));
    }

    private async Task<string> MakeAsync(string name, long size)
    {
        var path = Path.Combine(_folder.FullName, name);
        await QemuImgAsync("create", "-q", "-f", "qcow2", path, $"{size}");
        return path;
    }

    private static async Task<string> QemuImgAsync(params string[] arguments) => await RunAsync("qemu-img", arguments);

    private static Task<string> QemuIoAsync(string disk, params string[] commands) => RunAsync("qemu-io", ["-f", "qcow2", .. commands.SelectMany(c => (string[])["-c", c]), disk]);

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        var path = Array.Find((string[])["/usr/bin", "/usr/local/bin"], folder => File.Exists(Path.Combine(folder, program)));
        Assert.SkipWhen(path is null, $"{program} is missing (package qemu-utils)");
        using var process = Process.Start(new ProcessStartInfo(Path.Combine(path!, program), arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}: {output}");
        return output;
    }

    // All but the name of the file itself, and how much of it the file system has allocated.
    private static string Facts(string json)
    {
        using var document = JsonDocument.Parse(json);
        return string.Join('\n', document.RootElement.EnumerateObject().Where(p => p.Name is not ("filename" or "actual-size" or "children")).Select(p => $"{p.Name}: {p.Value.GetRawText()}"));
    }
}
