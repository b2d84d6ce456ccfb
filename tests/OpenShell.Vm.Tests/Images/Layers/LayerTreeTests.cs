using System.Formats.Tar;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Layers;

namespace OpenShell.Vm.Tests.Images.Layers;

public sealed class LayerTreeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    /// <summary>Layers apart by bars, and what they amount to.</summary>
    public static TheoryData<string, string, string> Cases => new()
    {
        { "a whiteout takes a file away", "a=1 b=2|-a", "b=2" },
        { "a whiteout takes a folder away with all in it", "d/ d/x=1 d/e/ d/e/y=2 f=3|-d", "f=3" },
        { "a whiteout takes a link away and not what it leads to", "d/ d/x=1 l->d|-l", "d/ d/x=1" },
        { "a whiteout of what is not there is nothing", "a=1|-b -c/d", "a=1" },
        { "a whiteout does not hide what its own layer has, before it", "d/ d/old=1|d/ d/new=2 -d", "d/ d/new=2" },
        { "a whiteout does not hide what its own layer has, behind it", "d/ d/old=1|-d d/ d/new=2", "d/ d/new=2" },
        { "a whiteout and a file of the same name", "a=1|-a a=2", "a=2" },
        { "a file of the same name and a whiteout", "a=1|a=2 -a", "a=2" },
        { "a whiteout hides what several layers have put there", "d/ d/a=1|d/ d/b=2|-d", "" },
        { "what was taken away can come again", "a=1|-a|a=3", "a=3" },
        { "an opaque folder hides all below", "d/ d/a=1 d/e/ d/e/b=2|d/ -d/*", "d/" },
        { "an opaque folder keeps what its own layer has, before it", "d/ d/a=1 d/b=2|d/ d/c=3 -d/*", "d/ d/c=3" },
        { "an opaque folder keeps what its own layer has, behind it", "d/ d/a=1 d/b=2|d/ -d/* d/c=3", "d/ d/c=3" },
        { "an opaque folder keeps deep what its own layer has", "d/ d/e/ d/e/a=1|d/ -d/* d/e/ d/e/b=2", "d/ d/e/ d/e/b=2" },
        { "an opaque folder hides nothing that comes later", "d/ d/a=1|d/ -d/*|d/ d/b=2", "d/ d/b=2" },
        { "an opaque root hides everything", "a=1 d/ d/b=2|-* c=3", "c=3" },
        { "an opaque folder that is not there is nothing", "a=1|-d/*", "a=1" },
        { "a file takes the place of a file", "a=1|a=2", "a=2" },
        { "a folder over a folder adds to it", "d/ d/a=1|d/ d/b=2", "d/ d/a=1 d/b=2" },
        { "a file takes the place of a folder", "d/ d/a=1|d=2", "d=2" },
        { "a folder takes the place of a file", "d=1|d/ d/a=2", "d/ d/a=2" },
        { "a link takes the place of a folder", "d/ d/a=1 e/|d->e", "d->e e/" },
        { "a folder takes the place of a link to a folder", "d->e e/ e/a=1|d/ d/b=2", "d/ d/b=2 e/ e/a=1" },
        { "a file takes the place of a link, and what it leads to stays", "l->t t=1|l=2", "l=2 t=1" },
        { "a link takes the place of a file", "a=1 b=2|a->b", "a->b b=2" },
        { "what is behind a link goes where it leads", "lib->usr/lib usr/ usr/lib/|lib/a=1", "lib->usr/lib usr/ usr/lib/ usr/lib/a=1" },
        { "an absolute link leads within the image", "lib->/usr/lib usr/ usr/lib/|lib/a=1", "lib->/usr/lib usr/ usr/lib/ usr/lib/a=1" },
        { "a link up leads within the image", "usr/ usr/l->../var var/|usr/l/a=1", "usr/ usr/l->../var var/ var/a=1" },
        { "a whiteout behind a link", "lib->usr/lib usr/ usr/lib/ usr/lib/a=1|-lib/a", "lib->usr/lib usr/ usr/lib/" },
        { "a link to nowhere makes the folder that it names", "l->d|l/a=1", "d/ d/a=1 l->d" },
        { "folders that nobody describes", "a/b/c=1", "a/ a/b/ a/b/c=1" },
        { "a hard link within a layer", "a=1 b=>a", "a=1 b=>a" },
        { "a hard link to a lower layer", "a=1|b=>a", "a=1 b=>a" },
        { "names of one file are in the order of names", "z=1|a=>z", "a=1 z=>a" },
        { "a hard link stays when its target is replaced", "a=1 b=>a|a=2", "a=2 b=1" },
        { "a hard link stays when its target is taken away", "a=1 b=>a c=>a|-a", "b=1 c=>b" },
        { "a hard link is replaced, and its target stays", "a=1 b=>a|b=2", "a=1 b=2" },
        { "a hard link to what its layer has replaced", "a=1|a=2 b=>a", "a=2 b=>a" },
        { "a hard link to a link", "a=1 l->a m=>l", "a=1 l->a m=>l" },
        { "a hard link through a link", "d/ d/a=1 l->d|b=>l/a", "b=1 d/ d/a=>b l->d" },
        { "a hard link to itself", "a=1|a=>a", "a=1" },
        { "a hard link in place of a folder", "a=1 d/ d/x=2|d=>a", "a=1 d=>a" },
        { "names with dots in front", "./a=1 ./d/ ./d/b=2|-./a", "d/ d/b=2" },
        { "a name that only begins like a whiteout", ".whatever=1", ".whatever=1" },
        { "what AUFS keeps for itself", ".wh..wh.plnk/ .wh..wh.plnk/1=x .wh..wh.aufs=y a=1", "a=1" },
        { "the same name twice in a layer", "a=1 a=2", "a=2" },
        { "names in the order of bytes", "b=1 a-b=1 a/ a/c=1 B=1", "B=1 a/ a/c=1 a-b=1 b=1" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Layers_amount_to(string what, string layers, string expected)
    {
        var listed = Tarred.Listed(await MergedAsync(layers.Split('|').Select(l => Tarred.Of(l.Split(' ')))));

        string.Join(' ', listed.Order(StringComparer.Ordinal)).ShouldBe(string.Join(' ', expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)), what);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Umoci_makes_the_same_of_them(string what, string layers, string expected)
    {
        if (OpenShell.Vm.Images.Host.RuntimeTools.FindProgram("umoci") is null || !Environment.IsPrivilegedProcess)
            Assert.Skip("umoci is not on this host (Debian package umoci), or this is not root");
        if (Differs.TryGetValue(what, out var why))
            Assert.Skip(why);
        expected.ShouldNotBeNull();
        var root = await UmociAsync([.. layers.Split('|').Select(l => Tarred.Of(l.Split(' ')))]);
        var ours = _folder.File("ours");
        Directory.CreateDirectory(ours);
        await File.WriteAllBytesAsync(_folder.File("merged.tar"), (await MergedAsync(layers.Split('|').Select(l => Tarred.Of(l.Split(' '))))).ToArray(), Token);
        await HostTool.RunAsync("tar", ["-xf", _folder.File("merged.tar"), "-C", ours]);

        (await ListedAsync(ours)).ShouldBe(await ListedAsync(root));
    }

    [Theory]
    [InlineData("../a=1")]
    [InlineData("a/../../b=1")]
    [InlineData("a/../b=1")]
    [InlineData("/a=1")]
    [InlineData("/etc/a=1")]
    [InlineData("l->.. l/a=1")]
    [InlineData("l->../../etc l/passwd=1")]
    [InlineData("d/ d/l->../../x d/l/a=1")]
    [InlineData("l->.. -l/a")]
    [InlineData("a=>../b")]
    [InlineData("a=>/b")]
    [InlineData("d/.wh...=")]
    [InlineData(".wh...=")]
    [InlineData(".wh..=")]
    [InlineData(".wh.=")]
    public async Task What_would_leave_the_image_is_refused(string layer)
    {
        var fault = (await Should.ThrowAsync<FaultException>(() => MergedAsync([Tarred.Of(layer.Split(' '))]))).Faults[0];

        fault.Code.ShouldBe("image.base-image-malformed");
        fault.What.ShouldContain("would leave the image");
    }

    [Theory]
    [InlineData("a=>b", "which is not there")]
    [InlineData("d/ a=>d", "a hard link to a folder")]
    [InlineData("a->b b->a a/c=1", "in a circle")]
    [InlineData("a=1 a/b=2", "no folder")]
    public async Task What_makes_no_sense_is_refused(string layer, string why) =>
        (await Should.ThrowAsync<FaultException>(() => MergedAsync([Tarred.Of(layer.Split(' '))]))).Faults[0].What.ShouldContain(why);

    [Theory]
    [InlineData("uid", "99999999999")]
    [InlineData("mtime", "99999999999999999")]
    public async Task A_number_that_is_none_of_Linuxs_is_refused(string key, string value)
    {
        // The writer knows better than to write such, so it is put in place of one of the same length.
        var dummy = new string('d', key.Length);
        var layer = Tarred.Of([new PaxTarEntry(TarEntryType.RegularFile, "a", new Dictionary<string, string> { [dummy] = value })]);
        var text = System.Text.Encoding.Latin1.GetString(layer);
        text.ShouldContain($" {dummy}={value}\n");

        var fault = (await Should.ThrowAsync<FaultException>(() => MergedAsync([System.Text.Encoding.Latin1.GetBytes(text.Replace($" {dummy}=", $" {key}=", StringComparison.Ordinal))]))).Faults[0];

        fault.Code.ShouldBe("image.base-image-malformed");
    }

    [Fact]
    public async Task A_tar_that_is_cut_off_is_refused()
    {
        var layer = Tarred.Of("a=" + new string('x', 5000));

        (await Should.ThrowAsync<FaultException>(() => MergedAsync([layer[..2000]]))).Faults[0].Code.ShouldBe("image.base-image-malformed");
    }

    [Fact]
    public async Task Owners_modes_times_devices_and_long_names_stay()
    {
        var time = new DateTimeOffset(2024, 2, 3, 4, 5, 6, 789, TimeSpan.Zero);
        var longName = string.Join('/', Enumerable.Repeat("a-folder-with-a-name", 9)) + "/Főtanúsítvány.crt";
        var merged = await MergedAsync([Tarred.Of(
        [
            new PaxTarEntry(TarEntryType.RegularFile, "su") { Mode = (UnixFileMode)0b100_111_101_101, Uid = 12, Gid = 3_000_000, ModificationTime = time, DataStream = new MemoryStream("x"u8.ToArray()) },
            new PaxTarEntry(TarEntryType.Directory, "tmp/") { Mode = (UnixFileMode)0b001_111_111_111, ModificationTime = DateTimeOffset.UnixEpoch.AddDays(-1) },
            new PaxTarEntry(TarEntryType.CharacterDevice, "null") { Mode = (UnixFileMode)0b110_110_110, DeviceMajor = 1, DeviceMinor = 3 },
            new PaxTarEntry(TarEntryType.BlockDevice, "disk") { DeviceMajor = 8, DeviceMinor = 17 },
            new PaxTarEntry(TarEntryType.Fifo, "pipe"),
            new PaxTarEntry(TarEntryType.RegularFile, longName) { DataStream = new MemoryStream("y"u8.ToArray()) },
            new PaxTarEntry(TarEntryType.SymbolicLink, "link") { LinkName = "/" + longName },
        ])]);
        var entries = Read(merged);

        entries["su"].Mode.ShouldBe((UnixFileMode)0b100_111_101_101);
        (entries["su"].Uid, entries["su"].Gid, entries["su"].ModificationTime).ShouldBe((12, 3_000_000, time));
        entries["tmp/"].Mode.ShouldBe((UnixFileMode)0b001_111_111_111);
        entries["tmp/"].ModificationTime.ShouldBe(DateTimeOffset.UnixEpoch.AddDays(-1));
        ((PosixTarEntry)entries["null"]).DeviceMinor.ShouldBe(3);
        ((PosixTarEntry)entries["disk"]).DeviceMajor.ShouldBe(8);
        entries["pipe"].EntryType.ShouldBe(TarEntryType.Fifo);
        entries.ShouldContainKey(longName);
        entries["link"].LinkName.ShouldBe("/" + longName);
    }

    [Fact]
    public async Task A_folders_metadata_is_that_of_the_last_layer_that_describes_it()
    {
        var merged = await MergedAsync(
        [
            Tarred.Of([new PaxTarEntry(TarEntryType.Directory, "d/") { Uid = 1, Mode = (UnixFileMode)0b111_000_000 }, new PaxTarEntry(TarEntryType.RegularFile, "d/a")]),
            Tarred.Of([new PaxTarEntry(TarEntryType.Directory, "./") { Uid = 7 }, new PaxTarEntry(TarEntryType.Directory, "d/") { Uid = 2, Mode = (UnixFileMode)0b111_101_101 }]),
            Tarred.Of("d/b=1"),
        ]);
        var entries = Read(merged);

        (entries["d/"].Uid, (int)entries["d/"].Mode).ShouldBe((2, 0b111_101_101));
        entries["./"].Uid.ShouldBe(7);
    }

    [Fact]
    public async Task Extended_attributes_stay_to_the_byte_also_behind_folders_and_links()
    {
        byte[] capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0xff, 0xfe, (byte)'\n', (byte)'=', 0, 0, 1];
        using var layer = new MemoryStream();
        using (var tar = new TarWriter(layer, TarEntryFormat.Pax, leaveOpen: true))
        {
            layer.Write(PaxRecords.Header(PaxRecords.AsBytes(new Dictionary<string, byte[]> { ["user.folder"] = [1] })));
            tar.WriteEntry(new UstarTarEntry(TarEntryType.Directory, "bin/"));
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "bin/long") { DataStream = new MemoryStream(new byte[1000]) });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "bin/sh", new Dictionary<string, string> { ["LIBARCHIVE.xattr.user.text"] = "AQI" }) { LinkName = "long" });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "bin/hard") { LinkName = "bin/long" });
            layer.Write(PaxRecords.Header(PaxRecords.AsBytes(new Dictionary<string, byte[]> { ["security.capability"] = capability, ["user.empty"] = [] })));
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "bin/ping") { DataStream = new MemoryStream("p"u8.ToArray()) });
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, "bin/z"));
        }

        var merged = await MergedAsync([layer.ToArray(), Tarred.Of("bin/other=>bin/ping")]);
        var found = new Dictionary<string, IReadOnlyDictionary<string, byte[]>>();
        using var reader = new TarReader(merged);
        while (reader.GetNextEntry() is { } entry)
        {
            if (PaxRecords.Attributes(entry) is { Count: > 0 } attributes)
                found[entry.Name] = attributes;
        }

        found.Keys.ShouldBe(["bin/", "bin/other", "bin/sh"], ignoreOrder: true);
        found["bin/other"]["security.capability"].ShouldBe(capability);
        found["bin/other"]["user.empty"].ShouldBeEmpty();
        found["bin/"]["user.folder"].ShouldBe([1]);
        found["bin/sh"]["user.text"].ShouldBe([1, 2]);
    }

    [Fact]
    public async Task Equal_layers_give_equal_tars()
    {
        byte[][] layers = [Tarred.Of("d/", "d/a=1", "l->d"), Tarred.Of("-d/a", "d/b=2")];

        (await MergedAsync(layers)).ToArray().ShouldBe((await MergedAsync(layers)).ToArray());
    }

    // Where umoci goes another way than this does, with the reason.
    private static readonly Dictionary<string, string> Differs = new(StringComparer.Ordinal)
    {
        ["a hard link to itself"] = "umoci takes the target away before it makes the link, and fails",
        ["what AUFS keeps for itself"] = "umoci does not know AUFS",
    };

    private async Task<MemoryStream> MergedAsync(IEnumerable<byte[]> layers)
    {
        var tree = new LayerTree("test");
        var number = 0;
        foreach (var layer in layers)
        {
            var path = _folder.File($"{Guid.NewGuid():N}.tar");
            await File.WriteAllBytesAsync(path, layer, Token);
            tree.Apply(path, number++, Token);
        }

        var merged = new MemoryStream();
        await LayerTar.WriteAsync(tree, merged, _ => { }, Token);
        merged.Position = 0;
        return merged;
    }

    private static Dictionary<string, TarEntry> Read(Stream tar)
    {
        var entries = new Dictionary<string, TarEntry>();
        using var reader = new TarReader(tar);
        while (reader.GetNextEntry(copyData: true) is { } entry)
            entries[entry.Name] = entry;
        return entries;
    }

    private async Task<string> UmociAsync(byte[][] layers)
    {
        var image = _folder.File("image");
        await HostTool.RunAsync("umoci", ["init", "--layout", image]);
        await HostTool.RunAsync("umoci", ["new", "--image", image + ":t"]);
        for (var i = 0; i < layers.Length; i++)
        {
            await File.WriteAllBytesAsync(_folder.File($"{i}.tar"), layers[i], Token);
            await HostTool.RunAsync("umoci", ["raw", "add-layer", "--image", image + ":t", _folder.File($"{i}.tar")]);
        }

        await HostTool.RunAsync("umoci", ["raw", "unpack", "--image", image + ":t", _folder.File("umoci")]);
        return _folder.File("umoci");
    }

    // Type, mode, owner, links, content: everything that find can say.
    private static async Task<string> ListedAsync(string root)
    {
        var found = await HostTool.RunAsync("find", [root, "-mindepth", "1", "-printf", "%P %y %m %U:%G %n %l\n"]);
        var lines = found.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal).ToList();
        return string.Join('\n', lines.Select(l => l.Split(' ') is [var name, "f", ..] ? $"{l} {File.ReadAllText(Path.Combine(root, name))}" : l));
    }
}
