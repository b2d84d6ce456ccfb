using System.Formats.Tar;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Images.Layers;
using OpenShell.Vm.Images.Recipes;

namespace OpenShell.Vm.Tests.Images.Recipes;

public sealed class RootTarTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Unsquashfs_lists_base_and_ours_with_owners_and_modes()
    {
        var listing = await HostTool.RunAsync("unsquashfs", ["-lls", "-d", "", await MakeAsync("a.squashfs")]);

        listing.ShouldMatch(@"^drwxr-xr-x root/root\s+\d+ 1970-01-01 00:00 \n", "the root itself");
        listing.ShouldMatch(@"-rwsr-xr-x root/root\s+4 .* /usr/bin/su\n");
        listing.ShouldMatch(@"-rwxr-xr-x root/root\s+3 1970-01-01 00:00 /usr/sbin/openshell-init\n");
        listing.ShouldMatch(@"/bin -> usr/bin\n");
        listing.ShouldMatch(@"/usr/lib/openshell/kubelet -> kubernetes\n");
        listing.ShouldMatch(@"drwxr-xr-x root/root\s+\d+ .* /home\n");
        listing.ShouldNotContain("/dev/null");
        listing.ShouldNotContain("/var/cache/apt");
        listing.ShouldNotContain("/etc/apt/sources.list");
    }

    [Fact]
    public async Task Equal_contents_give_equal_images() =>
        (await File.ReadAllBytesAsync(await MakeAsync("a.squashfs"), TestContext.Current.CancellationToken))
            .ShouldBe(await File.ReadAllBytesAsync(await MakeAsync("b.squashfs"), TestContext.Current.CancellationToken));

    [Fact]
    public async Task Capabilities_of_files_are_kept_as_sqfstar_takes_them()
    {
        byte[] capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0];
        var name = "usr/bin/" + new string('n', 120);
        await using (var file = File.Create(_folder.File("base.tar")))
        await using (var tar = new TarWriter(file, TarEntryFormat.Pax, leaveOpen: true))
        {
            await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.Directory, "usr/bin/"), TestContext.Current.CancellationToken);
            file.Write(PaxRecords.Header([("path", System.Text.Encoding.UTF8.GetBytes(name)), .. PaxRecords.AsText(new Dictionary<string, byte[]> { ["security.capability"] = capability })]));
            await tar.WriteEntryAsync(new UstarTarEntry(TarEntryType.RegularFile, "ping") { DataStream = new MemoryStream("p"u8.ToArray()) }, TestContext.Current.CancellationToken);
        }

        using var written = new MemoryStream();
        await using (var root = new RootTar(written))
            await root.AddBaseAsync(_folder.File("base.tar"), _ => { }, TestContext.Current.CancellationToken);
        await File.WriteAllBytesAsync(_folder.File("written.tar"), written.ToArray(), TestContext.Current.CancellationToken);
        PaxRecords.Take(_folder.File("written.tar")).Values.ShouldHaveSingleItem()["security.capability"].ShouldBe(capability);

        // As root, unsquashfs gives it back.
        await HostTool.RunAsync("unsquashfs", ["-d", _folder.File("out"), await MakeAsync("c.squashfs")]);
        if (Environment.IsPrivilegedProcess && RuntimeTools.FindProgram("getcap") is not null)
            (await HostTool.RunAsync("getcap", [_folder.File("out/" + name)])).ShouldContain("cap_net_raw");
        File.Exists(_folder.File("out/" + name)).ShouldBeTrue();
    }

    [Fact]
    public async Task The_same_name_twice_is_a_mistake()
    {
        await using var root = new RootTar(Stream.Null);
        await root.AddTextAsync("etc/thing", "one", TestContext.Current.CancellationToken);
        await Should.ThrowAsync<InvalidOperationException>(() => root.AddTextAsync("etc/thing", "two", TestContext.Current.CancellationToken));
    }

    private async Task<string> MakeAsync(string name)
    {
        var init = _folder.Write("init", "run");
        if (!File.Exists(_folder.File("base.tar")))
        {
            foreach (var (file, content) in new[] { ("usr/bin/su", "suid"), ("dev/null", ""), ("var/cache/apt/list", "x"), ("etc/apt/sources.list", "x"), ("etc/passwd", "root") })
                _folder.Write("base/" + file, content);
            File.SetUnixFileMode(_folder.File("base/usr/bin/su"), (UnixFileMode)0b100_111_101_101);
            File.CreateSymbolicLink(_folder.File("base/bin"), "usr/bin");
            await HostTool.RunAsync("tar", ["--owner=0", "--group=0", "--format=pax", "-C", _folder.File("base"), "-cf", _folder.File("base.tar"), "."]);
        }

        var image = _folder.File(name);
        var command = RootRecipe.SquashCommand(image);
        if (RuntimeTools.FindProgram(command.Program) is null)
            Assert.Skip($"{command.Program} is not on this host");
        var tools = new Tools(_folder.File("log"));
        await tools.RunAsync(await BootstrapMode.AsRootAsync(command, tools, TestContext.Current.CancellationToken), async (stdin, token) =>
        {
            await using var root = new RootTar(stdin);
            await root.AddBaseAsync(_folder.File("base.tar"), _ => { }, token);
            await root.AddFolderAsync("home", token);
            await root.AddFileAsync("usr/sbin/openshell-init", init, executable: true, token);
            await root.AddLinkAsync("usr/lib/openshell/kubelet", "kubernetes", token);
        }, (stdout, token) => stdout.CopyToAsync(Stream.Null, token), TestContext.Current.CancellationToken);
        return image;
    }
}
