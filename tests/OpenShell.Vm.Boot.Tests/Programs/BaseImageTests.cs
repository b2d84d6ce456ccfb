using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using OpenShell.Tests.Registry;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Programs;

/// <summary><c>--base-image</c>: a machine whose system comes from a registry, in layers.</summary>
public sealed class BaseImageTests : ProgramTest
{
    // What is of no base image, and takes minutes to make.
    private static readonly string[] Shared = ["kernel", "guest", "gvproxy", "gateway", "kubernetes", "pause"];

    private static string Architecture => RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64";

    [Fact]
    public async Task A_program_runs_in_a_system_that_was_pulled()
    {
        (await Gateway.StartAsync("image", "build", "--exec-only")).OrFail();
        var cache = CacheOfItsOwn();
        var environment = new Dictionary<string, string?>(Home.Environment) { ["XDG_CACHE_HOME"] = Path.Combine(Home.Root, "cache") };
        await using var registry = await LoopbackRegistry.StartAsync(new() { Tokens = true });
        var digest = await PushAsync(registry);
        var image = $"127.0.0.1:{registry.Port}/base:1";

        (await GatewayCli.StartAsync(environment, "image", "build", "--base-image", image, "--exec-only")).OrFail().ShouldContain("is ready");

        using var record = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Directory.EnumerateDirectories(Path.Combine(cache, "artifacts", "debian-root")).Single(), "provenance.json"), TestContext.Current.CancellationToken));
        record.RootElement.GetProperty("inputs").EnumerateArray().ShouldContain(i => i.GetProperty("name").GetString() == "base image" && i.GetProperty("value").GetString() == digest);
        record.RootElement.GetProperty("packages").EnumerateArray().ShouldContain(p => p.GetProperty("name").GetString() == "busybox");
        (await GatewayCli.StartAsync(environment, "plan", "--base-image", image, "--exec", "/bin/true")).OrFail().ShouldContain($"base image   {image}");

        // Nothing is asked for again: the tag was resolved.
        var asked = registry.Requests.Count;
        (await GatewayCli.StartAsync(environment, "--base-image", image, "--exec", "/bin/true")).OrFail();
        var run = await GatewayCli.StartAsync(environment, "--base-image", image, "--exec", "/bin/sh", "--args", "-c", """
            cat /etc/layer /usr/share/opaque/*
            ls /usr/share/opaque
            test -e /etc/gone || echo gone
            test -e /usr/share/whole || echo all of it gone
            stat -c '%u:%g %a %h' /usr/local/bin/owned
            readlink /usr/local/bin/link
            """);
        run.OrFail().ShouldBe("second\nthird\nnew\ngone\nall of it gone\n1234:5678 4751 2\n/etc/layer\n");
        registry.Requests.Count.ShouldBe(asked);
    }

    [Fact]
    public async Task A_cluster_comes_up_in_a_system_that_was_pulled()
    {
        Requirements.SkipUnlessFull();
        (await Gateway.StartAsync("image", "build")).OrFail();
        CacheOfItsOwn();
        var environment = new Dictionary<string, string?>(Home.Environment) { ["XDG_CACHE_HOME"] = Path.Combine(Home.Root, "cache") };
        await using var registry = await LoopbackRegistry.StartAsync();
        await PushAsync(registry);
        var image = $"127.0.0.1:{registry.Port}/base:1";
        try
        {
            (await GatewayCli.StartAsync(environment, "up", "--name", "pulled", "--distribution", "upstream", "--base-image", image, "--detach", "--timeout", "20m")).OrFail();

            (await GatewayCli.StartAsync(environment, "exec", "--name", "pulled", "--", "cat", "/etc/layer")).OrFail().ShouldBe("second\n");
            using var status = JsonDocument.Parse((await GatewayCli.StartAsync(environment, "status", "--name", "pulled", "--output", "json")).OrFail());
            status.RootElement.GetProperty("ready").GetBoolean().ShouldBeTrue();
        }
        finally
        {
            await GatewayCli.StartAsync(environment, "stop", "--name", "pulled");
            await GatewayCli.StartAsync(environment, "delete", "--name", "pulled");
        }

        // The tag is resolved and the system made: a bundle of it needs no registry, and knows what is in it.
        var asked = registry.Requests.Count;
        var bundle = Path.Combine(Home.Root, "pulled.bundle");
        (await GatewayCli.StartAsync(environment, "bundle", "create", bundle, "--distribution", "upstream", "--base-image", image)).OrFail();
        registry.Requests.Count.ShouldBe(asked);
        (await GatewayCli.StartAsync(environment, "bundle", "sbom", bundle)).OrFail().ShouldContain("\"busybox\"");
    }

    /// <summary>The cache without what is made of a base image, so that a test leaves nothing in the user's.</summary>
    private string CacheOfItsOwn()
    {
        var real = Path.Combine(Home.Environment["XDG_CACHE_HOME"]!, "openshell-vm");
        var own = Path.Combine(Home.Root, "cache", "openshell-vm");
        Directory.CreateDirectory(Path.Combine(own, "artifacts"));
        foreach (var kind in Shared.Where(k => Directory.Exists(Path.Combine(real, "artifacts", k))))
            Directory.CreateSymbolicLink(Path.Combine(own, "artifacts", kind), Path.Combine(real, "artifacts", kind));
        Directory.CreateDirectory(Path.Combine(own, "locks"));
        foreach (var pin in Directory.EnumerateFiles(Path.Combine(real, "locks")))
            File.Copy(pin, Path.Combine(own, "locks", Path.GetFileName(pin)));
        return own;
    }

    /// <summary>Debian as mmdebstrap has installed it as the first layer, and two over it that change things.</summary>
    private async Task<string> PushAsync(LoopbackRegistry registry)
    {
        var debian = Directory.EnumerateFiles(Path.Combine(Home.Environment["XDG_CACHE_HOME"]!, "openshell-vm", "artifacts", "debian-root"), "root.tar", SearchOption.AllDirectories)
            .Where(IsOfThisProcessor).MaxBy(File.GetLastWriteTimeUtc)!;
        var gzipped = Path.Combine(Home.Root, "layer.tar.gz");
        await using (var tar = File.OpenRead(debian))
        await using (var blob = File.Create(gzipped))
        await using (var gzip = new GZipStream(blob, CompressionLevel.Fastest))
            await tar.CopyToAsync(gzip, TestContext.Current.CancellationToken);
        await using var content = File.OpenRead(debian);
        var diffId = "sha256:" + Convert.ToHexStringLower(await SHA256.HashDataAsync(content, TestContext.Current.CancellationToken));
        var digest = PushedImage.Push(
            registry,
            [
                new PushedImage.Layer(registry.AddFile(gzipped), new FileInfo(gzipped).Length, diffId),
                PushedImage.Gzipped(registry, Layer(tar =>
                {
                    Add(tar, "etc/layer", "first\n");
                    Add(tar, "etc/gone", "gone\n");
                    Add(tar, "usr/share/opaque/old", "old\n");
                    Add(tar, "usr/share/whole/deep/file", "old\n");
                    Add(tar, "usr/local/bin/owned", "owned\n", 0b100_111_101_001, 1234, 5678);
                })),
                PushedImage.Gzipped(registry, Layer(tar =>
                {
                    Add(tar, "etc/layer", "second\n");
                    Add(tar, "etc/.wh.gone", "");
                    Add(tar, "usr/share/opaque/new", "third\n");
                    Add(tar, "usr/share/opaque/.wh..wh..opq", "");
                    Add(tar, "usr/share/.wh.whole", "");
                    tar.WriteEntry(new PaxTarEntry(TarEntryType.HardLink, "usr/local/bin/owned-too") { LinkName = "usr/local/bin/owned" });
                    tar.WriteEntry(new PaxTarEntry(TarEntryType.SymbolicLink, "usr/local/bin/link") { LinkName = "/etc/layer" });
                })),
            ],
            Architecture);
        registry.Tag("base", "1", digest);
        return digest;
    }

    // The cache may have systems for others too.
    private static bool IsOfThisProcessor(string root)
    {
        using var record = JsonDocument.Parse(File.ReadAllText(Path.Combine(Path.GetDirectoryName(root)!, "provenance.json")));
        return record.RootElement.GetProperty("inputs").EnumerateArray().Any(i => i.GetProperty("name").GetString() == "architecture" && i.GetProperty("value").GetString() == Architecture)
            && record.RootElement.GetProperty("version").GetString()!.StartsWith("Debian bookworm", StringComparison.Ordinal);
    }

    private static byte[] Layer(Action<TarWriter> write)
    {
        using var content = new MemoryStream();
        using (var tar = new TarWriter(content, TarEntryFormat.Pax, leaveOpen: true))
            write(tar);
        return content.ToArray();
    }

    private static void Add(TarWriter tar, string name, string text, int mode = 0b110_100_100, int uid = 0, int gid = 0) => tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name)
    {
        Mode = (UnixFileMode)mode,
        Uid = uid,
        Gid = gid,
        DataStream = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(text)),
    });
}
