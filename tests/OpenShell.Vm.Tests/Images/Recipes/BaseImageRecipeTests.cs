using System.Formats.Tar;
using OpenShell.Tests.Registry;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Images.Building;
using OpenShell.Vm.Tests.Images.Layers;

namespace OpenShell.Vm.Tests.Images.Recipes;

public sealed class BaseImageRecipeTests : IDisposable
{
    private const string Status = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2+b2\n\nPackage: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n";

    private static readonly SourceTree Source = SourceTree.Locate();

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static string Architecture => Architectures.Host;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 120_000)]
    public async Task A_tag_is_resolved_once_and_anew_when_asked()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        var request = Request(registry, GuestMode.Exec);
        var first = PushedImage.Push(registry, "base", "1", Layers("program"), Architecture);

        (await Builder().FindAsync(request, Token)).ShouldBeNull();
        var set = await Builder().EnsureAsync(request, null, Token);
        var asked = registry.Requests.Count;
        PushedImage.Push(registry, "base", "1", [.. Layers("program"), Tarred.Of("etc/later=1")], Architecture);

        (await Builder().EnsureAsync(request, null, Token)).ShouldBe(set);
        (await Builder().FindAsync(request, Token)).ShouldBe(set);
        registry.Requests.Count.ShouldBe(asked);
        Root(set).ShouldNotContain("etc/later=1");
        Record().Inputs.ShouldContain(new RecipeInput("base image", first));

        var refreshed = await Builder().EnsureAsync(request with { Refresh = true }, null, Token);
        refreshed.Key.ShouldNotBe(set.Key);
        Root(refreshed).ShouldContain("etc/later=1");
        (await Builder().FindAsync(request, Token)).ShouldBe(refreshed);
    }

    [Fact(Timeout = 120_000)]
    public async Task Packages_are_in_the_provenance_and_neither_registry_nor_path()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        PushedImage.Push(registry, "base", "1", Layers("program"), Architecture);

        await Builder().EnsureAsync(Request(registry, GuestMode.Exec), null, Token);

        var record = Record();
        record.Version.ShouldStartWith("Debian GNU/Linux 12 (bookworm), 1 packages, of the base image sha256:");
        record.Packages.ShouldHaveSingleItem().ShouldBe(new PinnedPackage { Name = "bash", Version = "5.2.15-2+b2", Architecture = "amd64", Sha256 = "", Size = 0 });
        var text = await File.ReadAllTextAsync(Path.Combine(ArtifactOf(record), CacheLayout.RecordFile), Token);
        text.ShouldNotContain("127.0.0.1");
        text.ShouldNotContain(_folder.Path);
        OpenShell.Vm.Bundles.Sbom.PackageUrls.Debian("libc6", "2.39-0ubuntu8", "amd64", "ubuntu").ShouldBe("pkg:deb/ubuntu/libc6@2.39-0ubuntu8?arch=amd64");
    }

    [Theory(Timeout = 120_000)]
    [InlineData(GuestMode.Cluster, null, "containerd")]
    [InlineData(GuestMode.Cluster, "k3s", "sqlite3")]
    [InlineData(GuestMode.Exec, null, "libssl3")]
    public async Task All_that_is_missing_is_named_at_once_with_its_packages(GuestMode mode, string? distribution, string package)
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        PushedImage.Push(registry, "base", "1", [Tarred.Of("bin->usr/bin", "sbin->usr/sbin", "lib->usr/lib", "usr/sbin/", "usr/lib/", "usr/bin/dash=x", "usr/bin/sh->dash")], Architecture);

        var fault = (await Should.ThrowAsync<FaultException>(() => Builder().EnsureAsync(Request(registry, mode) with { Distribution = distribution }, null, Token))).Faults[0];

        fault.Code.ShouldBe("image.base-image-incomplete");
        fault.What.ShouldContain("libc.so.6, ");
        fault.What.ShouldNotContain("/bin/sh");
        fault.Remedy.ShouldContain(" " + package);
        fault.Remedy.Contains("etcd-server", StringComparison.Ordinal).ShouldBe(mode == GuestMode.Cluster && distribution is null);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_system_that_is_not_merged_is_refused()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        PushedImage.Push(registry, "base", "1", [.. Layers("program"), Tarred.Of("bin/", "bin/sh=x")], Architecture);

        var fault = (await Should.ThrowAsync<FaultException>(() => Builder().EnsureAsync(Request(registry, GuestMode.Exec), null, Token))).Faults[0];

        fault.What.ShouldEndWith("lacks what a machine needs: /bin, which has to lead to /usr/bin.");
        fault.Remedy.ShouldContain("usr-is-merged");
    }

    [Theory(Timeout = 120_000)]
    [InlineData(GuestMode.Cluster, null)]
    [InlineData(GuestMode.Cluster, "k3s")]
    public async Task An_image_that_has_everything_is_taken_and_what_is_ours_left_out(GuestMode mode, string? distribution)
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        PushedImage.Push(registry, "base", "1", [.. Layers(distribution ?? "upstream"), Tarred.Of("usr/local/bin/kubectl=other", "boot/vmlinuz=other", "usr/sbin/openshell-init=other")], Architecture);

        var set = await Builder().EnsureAsync(Request(registry, mode) with { Distribution = distribution }, null, Token);

        var listed = Root(set);
        listed.ShouldNotContain(e => e.Contains("other", StringComparison.Ordinal));
        listed.ShouldContain("usr/sbin/");
        Record().Notes.ShouldContain(n => n.StartsWith("/usr/local/bin/kubectl ", StringComparison.Ordinal));
    }

    [Fact(Timeout = 120_000)]
    public async Task Programs_use_the_clusters_root_where_it_is_there()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        PushedImage.Push(registry, "base", "1", Layers("upstream"), Architecture);

        var cluster = await Builder().EnsureAsync(Request(registry, GuestMode.Cluster), null, Token);

        (await Builder().FindAsync(Request(registry, GuestMode.Exec), Token)).ShouldBe(cluster);
    }

    [Fact(Timeout = 120_000)]
    public async Task An_image_for_another_processor_is_refused()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        PushedImage.Push(registry, "base", "1", Layers("program"), Architecture == "amd64" ? "arm64" : "amd64");

        (await Should.ThrowAsync<FaultException>(() => Builder().EnsureAsync(Request(registry, GuestMode.Exec), null, Token))).Faults[0].Code.ShouldBe("image.base-image-platform");
    }

    [Fact(Timeout = 120_000)]
    public async Task A_layer_that_is_not_what_the_configuration_says_is_refused()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        var layer = PushedImage.Gzipped(registry, Layers("program")[0]);
        registry.Tag("base", "1", PushedImage.Push(registry, [layer with { DiffId = PushedImage.DigestOf([1]) }], Architecture));

        (await Should.ThrowAsync<FaultException>(() => Builder().EnsureAsync(Request(registry, GuestMode.Exec), null, Token))).Faults[0].Code.ShouldBe("image.digest-mismatch");
    }

    [Fact(Timeout = 120_000)]
    public async Task Layers_may_be_plain_gzipped_or_of_zstd()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        var tars = Layers("program");
        var last = Tarred.Of("etc/zstd=1");
        var plain = new PushedImage.Layer(registry.Add(tars[1]), tars[1].Length, PushedImage.DigestOf(tars[1]), PushedImage.LayerType);
        var layers = new List<PushedImage.Layer> { PushedImage.Gzipped(registry, tars[0]), plain };
        if (RuntimeTools.FindProgram("zstd") is null)
            Assert.Skip("zstd is not on this host");
        await File.WriteAllBytesAsync(_folder.File("last.tar"), last, Token);
        await HostTool.RunAsync("zstd", ["-q", _folder.File("last.tar"), "-o", _folder.File("last.zst")]);
        var zstd = await File.ReadAllBytesAsync(_folder.File("last.zst"), Token);
        layers.Add(new PushedImage.Layer(registry.Add(zstd), zstd.Length, PushedImage.DigestOf(last), PushedImage.LayerType + "+zstd"));
        registry.Tag("base", "1", PushedImage.Push(registry, layers, Architecture));

        Root(await Builder().EnsureAsync(Request(registry, GuestMode.Exec), null, Token)).ShouldContain("etc/zstd=1");
    }

    [Fact(Timeout = 120_000)]
    public async Task An_image_on_this_machine_is_what_it_is_now()
    {
        var layout = Layout("one");
        var set = await Builder().EnsureAsync(new ImageRequest { Mode = GuestMode.Exec, BaseImage = "oci:" + layout }, null, Token);
        Root(set).ShouldContain("etc/which=one");
        await TarAsync(layout, _folder.File("one.tar"));

        (await Builder().FindAsync(new ImageRequest { Mode = GuestMode.Exec, BaseImage = _folder.File("one.tar") }, Token)).ShouldBe(set, "the same image is the same wherever it is");
        Directory.Delete(layout, recursive: true);
        Layout("two");
        (await Builder().FindAsync(new ImageRequest { Mode = GuestMode.Exec, BaseImage = "oci:" + layout }, Token)).ShouldBeNull();
        Root(await Builder().EnsureAsync(new ImageRequest { Mode = GuestMode.Exec, BaseImage = "oci:" + layout }, null, Token)).ShouldContain("etc/which=two");

        // One flipped bit of a layer.
        var blob = Directory.EnumerateFiles(Path.Combine(layout, "blobs/sha256")).MaxBy(f => new FileInfo(f).Length)!;
        var bytes = await File.ReadAllBytesAsync(blob, Token);
        bytes[^9] ^= 1;
        await File.WriteAllBytesAsync(blob, bytes, Token);
        Directory.Delete(_folder.Directories.Cache, recursive: true);
        (await Should.ThrowAsync<FaultException>(() => Builder().EnsureAsync(new ImageRequest { Mode = GuestMode.Exec, BaseImage = "oci:" + layout }, null, Token))).Faults[0].Code.ShouldBe("image.digest-mismatch");
    }

    [Fact(Timeout = 120_000)]
    public async Task What_docker_saves_is_read_too()
    {
        var folder = _folder.File("saved");
        var tars = Layers("program");
        for (var i = 0; i < tars.Length; i++)
        {
            Directory.CreateDirectory(Path.Combine(folder, i.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{i}/layer.tar"), tars[i], Token);
        }

        _folder.Write("saved/config.json", $$$"""{"architecture":"{{{Architecture}}}","os":"linux","rootfs":{"type":"layers","diff_ids":[{{{string.Join(',', tars.Select(t => $"\"{PushedImage.DigestOf(t)}\""))}}}]}}""");
        _folder.Write("saved/manifest.json", $$"""[{"Config":"config.json","RepoTags":["base:1"],"Layers":[{{string.Join(',', tars.Select((_, i) => $"\"{i}/layer.tar\""))}}]}]""");
        await TarAsync(folder, _folder.File("saved.tar"));

        Root(await Builder().EnsureAsync(new ImageRequest { Mode = GuestMode.Exec, BaseImage = "docker-archive:" + _folder.File("saved.tar") + ":base:1" }, null, Token)).ShouldContain("usr/bin/sh->dash");
        (await Should.ThrowAsync<FaultException>(() => Builder().FindAsync(new ImageRequest { Mode = GuestMode.Exec, BaseImage = "docker-archive:" + _folder.File("saved.tar") + ":other:1" }, Token))).Faults[0].Remedy.ShouldContain("base:1");
    }

    [Theory]
    [InlineData("oci:FOLDER/nothing", "is not there")]
    [InlineData("oci:FOLDER", "has no index.json")]
    [InlineData("FOLDER/nothing.tar", "is not there")]
    [InlineData("FOLDER/text.tar", "it is no tar")]
    [InlineData("FOLDER/empty.tar", "neither index.json nor manifest.json")]
    public async Task What_is_no_image_on_this_machine_is_told(string image, string why)
    {
        _folder.Write("text.tar", new string('x', 2000));
        await File.WriteAllBytesAsync(_folder.File("empty.tar"), Tarred.Of("a=1"), Token);

        (await Should.ThrowAsync<FaultException>(() => Builder().FindAsync(new ImageRequest { Mode = GuestMode.Exec, BaseImage = image.Replace("FOLDER", _folder.Path, StringComparison.Ordinal) }, Token)))
            .Faults[0].What.ShouldContain(why);
    }

    [Fact]
    public void What_a_base_image_must_have_comes_of_the_packages_that_the_guest_is_otherwise_made_of()
    {
        foreach (var (purpose, list) in new[] { ("upstream", "images/debian-root/packages.list"), ("k3s", "images/debian-root/k3s-packages.list") })
        {
            // These are essential in Debian, and so in no list.
            var there = Source.List(list).Concat(["coreutils", "dash", "libc6"]).ToList();
            foreach (var (path, package) in BaseImageContents.Lists(purpose).SelectMany(l => BaseImageContents.Required(Source.PathOf(l))))
                there.ShouldContain(package, path);
        }
    }

    [Fact]
    public void A_base_image_needs_no_mmdebstrap()
    {
        HostPackages.PurposesOf(new ImageRequest { Mode = GuestMode.Cluster }).ShouldContain(DebianRootRecipe.Name);
        HostPackages.PurposesOf(new ImageRequest { Mode = GuestMode.Cluster, BaseImage = "debian:12" }).ShouldNotContain(DebianRootRecipe.Name);
        HostPackages.MissingTool("mmdebstrap").Faults[0].Remedy.ShouldContain("--base-image");
        HostPackages.MissingTool("sqfstar").Faults[0].Remedy.ShouldNotContain("--base-image");
    }

    // What the root image is made of, as far as this is about; the root image itself is the tar that it would be made from.
    private ImageBuilder Builder() => new(
        _folder.Directories,
        new RecipeCatalog(
        [
            DebianRootRecipe.Upstream, DebianRootRecipe.K3s, new TestRecipe(KernelRecipe.Name, KernelRecipe.Image), new TestRecipe(GuestRecipe.Name, GuestRecipe.Program),
            new TestRecipe(InitramfsRecipe.Name, InitramfsRecipe.Archive, null, DebianRootRecipe.Name),
            Made(RootRecipe.ClusterName), Made(RootRecipe.ProgramName), Made(RootRecipe.K3sName),
        ]),
        Source);

    private static TestRecipe Made(string kind) => new(kind, RootRecipe.Image, (context, _) =>
    {
        File.Copy(context.Input(DebianRootRecipe.Name, DebianRootRecipe.Tar), context.Output(RootRecipe.Image), overwrite: true);
        return Task.CompletedTask;
    }, DebianRootRecipe.Name);

    private static ImageRequest Request(LoopbackRegistry registry, GuestMode mode) => new() { Mode = mode, BaseImage = $"127.0.0.1:{registry.Port}/base:1" };

    private static IReadOnlyList<string> Root(ImageSet set)
    {
        using var file = File.OpenRead(set.Root);
        return Tarred.Listed(file);
    }

    private ArtifactRecord Record() => ArtifactCache.Read(Directory.EnumerateDirectories(Path.Combine(_folder.Directories.Cache, "artifacts", DebianRootRecipe.Name)).MaxBy(Directory.GetCreationTimeUtc)!)!;

    private string ArtifactOf(ArtifactRecord record) => new CacheLayout(_folder.Directories.Cache).Artifact(record.Kind, record.Key);

    /// <summary>Two layers with all that a purpose needs.</summary>
    private static byte[][] Layers(string purpose)
    {
        var library = Architecture == "arm64" ? "usr/lib/aarch64-linux-gnu/" : "usr/lib/x86_64-linux-gnu/";
        var files = BaseImageContents.Lists(purpose).SelectMany(l => BaseImageContents.Required(Source.PathOf(l))).Select(r => r.Path)
            .Where(p => p != "/bin/sh")
            .Select(p => p.StartsWith("lib:", StringComparison.Ordinal) ? library + p[4..] : p.StartsWith("/bin/", StringComparison.Ordinal) || p.StartsWith("/sbin/", StringComparison.Ordinal) ? "usr" + p : p[1..])
            .Distinct();
        return
        [
            Tarred.Of(["bin->usr/bin", "sbin->usr/sbin", "lib->usr/lib", "usr/", "usr/sbin/", "usr/lib/", "usr/bin/", "usr/bin/dash=x", "usr/bin/sh->dash", .. files.Select(f => f + "=x")]),
            Tarred.Of("var/lib/dpkg/status=" + Status, "usr/lib/os-release=PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n", "etc/os-release->../usr/lib/os-release"),
        ];
    }

    private string Layout(string which)
    {
        var layout = _folder.File("layout");
        var blobs = Path.Combine(layout, "blobs", "sha256");
        Directory.CreateDirectory(blobs);
        var layers = Layers("program").Append(Tarred.Of("etc/which=" + which)).Select(t => (Tar: t, Blob: PushedImage.Gzip(t))).ToList();
        var config = System.Text.Encoding.UTF8.GetBytes($$$"""{"architecture":"{{{Architecture}}}","os":"linux","rootfs":{"type":"layers","diff_ids":[{{{string.Join(',', layers.Select(l => $"\"{PushedImage.DigestOf(l.Tar)}\""))}}}]}}""");
        var manifest = PushedImage.Manifest(config, PushedImage.DigestOf(config), [.. layers.Select(l => new PushedImage.Layer(PushedImage.DigestOf(l.Blob), l.Blob.Length, ""))]);
        foreach (var blob in layers.Select(l => l.Blob).Append(config).Append(manifest))
            File.WriteAllBytes(Path.Combine(blobs, PushedImage.DigestOf(blob)["sha256:".Length..]), blob);
        _folder.Write("layout/oci-layout", """{"imageLayoutVersion":"1.0.0"}""");
        _folder.Write("layout/index.json", $$"""{"schemaVersion":2,"manifests":[{"mediaType":"{{PushedImage.ManifestType}}","digest":"{{PushedImage.DigestOf(manifest)}}","size":{{manifest.Length}}}]}""");
        return layout;
    }

    private static Task TarAsync(string folder, string file) => TarFile.CreateFromDirectoryAsync(folder, file, includeBaseDirectory: false, Token);
}
