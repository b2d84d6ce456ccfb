using System.Text;
using Microsoft.AspNetCore.Http;
using OpenShell.Tests.Registry;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Registry;
using OpenShell.Vm.Tests.Images.Layers;

namespace OpenShell.Vm.Tests.Images.Registry;

public sealed class RegistryContentTests : IDisposable
{
    private static readonly byte[] Tar = Tarred.Of("a=" + new string('x', 100_000));

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private CacheLayout Cache => new(_folder.File("cache"));

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 60_000)]
    public async Task An_image_is_resolved_and_its_layer_fetched_once()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        var pushed = PushedImage.Push(registry, "some/base", "1", [Tar]);
        using var content = Content(registry, "some/base:1");

        var manifest = await ImageResolver.ResolveAsync(content, "amd64", Token);
        var (document, configuration) = await ImageResolver.ReadAsync(content, manifest, "amd64", Token);

        manifest.Digest.ShouldBe(pushed);
        configuration.RootFs!.DiffIds.ShouldBe([PushedImage.DigestOf(Tar)]);
        (await BytesAsync(content, document.Layers![0])).ShouldBe(PushedImage.Gzip(Tar));
        (await BytesAsync(content, document.Layers![0])).ShouldBe(PushedImage.Gzip(Tar));
        registry.Requests.Count(r => r.Contains(document.Layers[0].Digest!, StringComparison.Ordinal)).ShouldBe(1);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("amd64")]
    [InlineData("arm64")]
    public async Task Of_an_index_the_platforms_manifest_is_taken(string architecture)
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        var manifests = new Dictionary<string, string>
        {
            ["windows"] = Pushed(registry, "amd64", "windows"),
            ["armv7"] = Pushed(registry, "arm"),
            ["amd64"] = Pushed(registry, "amd64"),
            ["arm64"] = Pushed(registry, "arm64"),
            ["riscv64"] = Pushed(registry, "riscv64"),
        };
        var index = PushedImage.PushIndex(
            registry,
            (manifests["riscv64"], "unknown/unknown"),
            (manifests["windows"], "windows/amd64"),
            (manifests["armv7"], "linux/arm/v7"),
            (manifests["riscv64"], "linux/amd64/v4"),
            (manifests["riscv64"], "linux/arm64/v9"),
            (manifests["amd64"], "linux/amd64"),
            (manifests["arm64"], "linux/arm64/v8"));
        registry.Tag("base", "1", index);
        using var content = Content(registry, "base:1");

        var manifest = await ImageResolver.ResolveAsync(content, architecture, Token);

        manifest.Digest.ShouldBe(manifests[architecture].Split('#')[0]);
        (await ImageResolver.ReadAsync(content, manifest, architecture, Token)).Configuration.Architecture.ShouldBe(architecture);
    }

    [Fact(Timeout = 60_000)]
    public async Task An_index_without_the_platform_names_those_that_there_are()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        registry.Tag("base", "1", PushedImage.PushIndex(registry, (Pushed(registry, "amd64"), "linux/amd64"), (Pushed(registry, "arm"), "linux/arm/v7"), (Pushed(registry, "arm"), "unknown/unknown")));
        using var content = Content(registry, "base:1");

        var fault = await FaultAsync(() => ImageResolver.ResolveAsync(content, "arm64", Token));

        fault.Code.ShouldBe("image.base-image-platform");
        fault.What.ShouldEndWith("is not for linux/arm64; it is for linux/amd64, linux/arm/v7.");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_image_without_index_tells_its_platform_by_its_configuration()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        PushedImage.Push(registry, "base", "1", [Tar], "arm64");
        using var content = Content(registry, "base:1");
        var manifest = await ImageResolver.ResolveAsync(content, "amd64", Token);

        (await FaultAsync(() => ImageResolver.ReadAsync(content, manifest, "amd64", Token))).Code.ShouldBe("image.base-image-platform");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_token_is_got_where_the_registry_wants_one()
    {
        await using var registry = await LoopbackRegistry.StartAsync(new() { Tokens = true });
        PushedImage.Push(registry, "base", "1", [Tar]);
        using var content = Content(registry, "base:1");

        await FetchAllAsync(content);

        registry.TokensGiven.ShouldBe(1);
        registry.Requests.Take(3).ShouldBe(["GET /v2/base/manifests/1", "GET /token", "GET /v2/base/manifests/1 Bearer"]);
        registry.Requests.Skip(2).ShouldAllBe(r => r.Contains(" Bearer", StringComparison.Ordinal));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_token_that_has_expired_is_replaced()
    {
        await using var registry = await LoopbackRegistry.StartAsync(new() { Tokens = true });
        PushedImage.Push(registry, "base", "1", [Tar]);
        using var content = Content(registry, "base:1");
        await ImageResolver.ResolveAsync(content, "amd64", Token);

        // Another's token makes this one's worthless here.
        using var other = Content(registry, "base:1");
        await ImageResolver.ResolveAsync(other, "amd64", Token);
        await FetchAllAsync(content);

        registry.TokensGiven.ShouldBe(3);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_user_of_Dockers_configuration_gets_a_token_that_others_do_not()
    {
        await using var registry = await LoopbackRegistry.StartAsync(new() { Tokens = true, TokenUser = ("me", "pa:ss") });
        PushedImage.Push(registry, "base", "1", [Tar]);
        using var nobody = Content(registry, "base:1");
        using var me = Content(registry, "base:1", Auth($"http://127.0.0.1:{registry.Port}/v1/", "me:pa:ss"));

        var fault = await FaultAsync(() => FetchAllAsync(nobody));
        await FetchAllAsync(me);

        fault.Code.ShouldBe("image.registry-unauthorized");
        fault.Remedy.ShouldContain("docker login");
    }

    [Fact(Timeout = 60_000)]
    public async Task Basic_authentication_is_answered_and_a_wrong_password_told()
    {
        await using var registry = await LoopbackRegistry.StartAsync(new() { Basic = ("me", "right") });
        PushedImage.Push(registry, "base", "1", [Tar]);
        var host = $"127.0.0.1:{registry.Port}";
        using var nobody = Content(registry, "base:1");
        using var helped = Content(registry, "base:1", Configuration("""{"credsStore":"desktop"}"""));
        using var wrong = Content(registry, "base:1", Auth(host, "me:wrong"));
        using var right = Content(registry, "base:1", Auth(host, "me:right"));

        (await FaultAsync(() => FetchAllAsync(nobody))).What.ShouldContain("somebody it does not know");
        (await FaultAsync(() => FetchAllAsync(helped))).Remedy.ShouldContain("credential helper");
        var fault = await FaultAsync(() => FetchAllAsync(wrong));
        fault.What.ShouldContain("the user in Docker's configuration");
        fault.What.ShouldNotContain("wrong");
        await FetchAllAsync(right);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_redirect_is_followed_without_a_word_of_who_asks()
    {
        await using var elsewhere = await LoopbackRegistry.StartAsync();
        await using var registry = await LoopbackRegistry.StartAsync(new() { Tokens = true });
        PushedImage.Push(registry, "base", "1", [Tar]);
        var blob = elsewhere.Add(PushedImage.Gzip(Tar));
        registry.Intercept = context => Task.FromResult(
            context.Request.Path.Value!.EndsWith(blob, StringComparison.Ordinal) && context.Request.Headers.Authorization.Count > 0 && Redirect(context, $"http://127.0.0.1:{elsewhere.Port}/v2/store/blobs/{blob}"));
        using var content = Content(registry, "base:1");

        await FetchAllAsync(content);

        elsewhere.Requests.ShouldBe([$"GET /v2/store/blobs/{blob}"]);
    }

    [Theory(Timeout = 60_000)]
    [InlineData("http://192.0.2.1/x", "nothing would be encrypted")]
    [InlineData("ftp://127.0.0.1/x", "nothing would be encrypted")]
    [InlineData(null, "one redirect too many")]
    public async Task A_redirect_to_where_nothing_is_encrypted_and_one_without_end_are_refused(string? to, string why)
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        registry.Intercept = context => Task.FromResult(Redirect(context, to ?? context.Request.Path));
        using var content = Content(registry, "base:1");

        var fault = await FaultAsync(() => content.RootAsync(Token));

        fault.Code.ShouldBe("image.registry-redirect");
        fault.What.ShouldContain(why);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_download_that_breaks_off_goes_on_where_it_was()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        var random = new byte[300_000];
        System.Security.Cryptography.RandomNumberGenerator.Fill(random);
        var layer = Tarred.Of([new System.Formats.Tar.PaxTarEntry(System.Formats.Tar.TarEntryType.RegularFile, "r") { DataStream = new MemoryStream(random) }]);
        PushedImage.Push(registry, "base", "1", [layer]);
        var blob = PushedImage.Gzip(layer);
        var broken = 0;
        registry.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.EndsWith(PushedImage.DigestOf(blob), StringComparison.Ordinal) || Interlocked.Increment(ref broken) > 1)
                return false;
            context.Response.ContentLength = blob.Length;
            await context.Response.Body.WriteAsync(blob.AsMemory(0, 200_000));
            await context.Response.Body.FlushAsync();
            context.Abort();
            return true;
        };
        using var content = Content(registry, "base:1");

        await FetchAllAsync(content);

        registry.Requests[^1].ShouldMatch(@" bytes=[1-9]\d*-$");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_is_not_as_its_digest_says_is_not_used()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        var manifest = PushedImage.Push(registry, "base", "1", [Tar]);
        var blob = PushedImage.Gzip(Tar);
        using var first = Content(registry, "base:1");
        var (document, _) = await ImageResolver.ReadAsync(first, await ImageResolver.ResolveAsync(first, "amd64", Token), "amd64", Token);

        registry.Replace(document.Layers![0].Digest!, [.. blob[..^1], (byte)(blob[^1] ^ 1)]);
        (await FaultAsync(() => BytesAsync(first, document.Layers[0]))).Code.ShouldBe("image.download-checksum");
        registry.Replace(document.Layers[0].Digest!, [.. blob, 0]);
        (await FaultAsync(() => BytesAsync(first, document.Layers[0]))).What.ShouldContain("more than");
        Directory.GetFiles(Cache.Packages).Select(Path.GetFileName).ShouldBe([document.Config!.Sha256, manifest["sha256:".Length..]], ignoreOrder: true);

        registry.Replace(document.Config!.Digest!, "{}"u8.ToArray());
        using var other = new RegistryContent(Reference(registry, "base:1"), DockerCredentials.None, new CacheLayout(_folder.File("other")));
        (await FaultAsync(() => other.ReadAsync(document.Config, 1000, Token))).Code.ShouldBe("image.digest-mismatch");

        registry.Replace(manifest, "{}"u8.ToArray());
        using var byDigest = Content(registry, "base@" + manifest);
        (await FaultAsync(() => byDigest.RootAsync(Token))).Code.ShouldBe("image.digest-mismatch");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_is_not_there_and_what_is_no_image_is_told()
    {
        await using var registry = await LoopbackRegistry.StartAsync();
        registry.Tag("old", "1", registry.Add("""{"schemaVersion":1}"""u8.ToArray(), "application/vnd.docker.distribution.manifest.v1+prettyjws"));
        registry.Tag("chart", "1", registry.Add("""{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":2},"layers":[{"mediaType":"x","digest":"y","size":1}]}"""u8.ToArray(), PushedImage.ManifestType));
        registry.Tag("empty", "1", registry.Add("""{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:0000000000000000000000000000000000000000000000000000000000000000","size":2},"layers":[null]}"""u8.ToArray(), PushedImage.ManifestType));
        registry.Tag("html", "1", registry.Add("<html>"u8.ToArray(), "text/html"));
        registry.Tag("huge", "1", registry.Add(new byte[RegistryLimits.Manifest + 1], PushedImage.ManifestType));

        (await ResolveFaultAsync("nothing:1")).ShouldSatisfyAllConditions(f => f.Code.ShouldBe("image.base-image-not-found"), f => f.What.ShouldContain("manifest unknown"));
        (await ResolveFaultAsync("old:1")).What.ShouldContain("schema 1");
        (await ResolveFaultAsync("empty:1")).Code.ShouldBe("image.base-image-malformed");
        (await ResolveFaultAsync("html:1")).Code.ShouldBe("image.base-image-malformed");
        (await ResolveFaultAsync("huge:1")).Code.ShouldBe("image.base-image-too-large");
        using var chart = Content(registry, "chart:1");
        var manifest = await ImageResolver.ResolveAsync(chart, "amd64", Token);
        (await FaultAsync(() => ImageResolver.ReadAsync(chart, manifest, "amd64", Token))).What.ShouldContain("helm");

        async Task<Fault> ResolveFaultAsync(string image)
        {
            using var content = Content(registry, image);
            return await FaultAsync(() => ImageResolver.ResolveAsync(content, "amd64", Token));
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task A_registry_that_does_not_answer_or_answers_badly_is_told()
    {
        var registry = await LoopbackRegistry.StartAsync();
        using var content = Content(registry, "base:1");
        registry.Intercept = context =>
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return Task.FromResult(true);
        };
        (await FaultAsync(() => content.RootAsync(Token))).Remedy.ShouldContain("limits");
        await registry.DisposeAsync();

        (await FaultAsync(() => content.RootAsync(Token))).Code.ShouldBe("image.registry-unreachable");
    }

    [Fact]
    public void A_broken_configuration_of_Dockers_is_told_with_its_path()
    {
        var path = _folder.Write("docker/config.json", "{\"auths\":{\"a\":{\"auth\":\"%%%\"}}}");

        Should.Throw<FaultException>(() => DockerCredentials.Read(path)).Faults[0].What.ShouldContain(path);
        DockerCredentials.Read(_folder.File("nothing")).Find("a").ShouldBeNull();
    }

    [Fact]
    public void Docker_Hubs_user_is_found_by_its_old_address() =>
        Auth("https://index.docker.io/v1/", "me:x").Find("docker.io")!.User.ShouldBe("me");

    private static bool Redirect(HttpContext context, string to)
    {
        context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        context.Response.Headers.Location = to;
        return true;
    }

    private static string Pushed(LoopbackRegistry registry, string architecture, string os = "linux")
    {
        var layer = PushedImage.Gzipped(registry, Tar);
        var digest = PushedImage.Push(registry, [layer], architecture, os: os);
        var config = PushedImage.Json(new System.Text.Json.Nodes.JsonObject
        {
            ["architecture"] = architecture,
            ["os"] = os,
            ["config"] = new System.Text.Json.Nodes.JsonObject(),
            ["rootfs"] = new System.Text.Json.Nodes.JsonObject { ["type"] = "layers", ["diff_ids"] = new System.Text.Json.Nodes.JsonArray(layer.DiffId) },
        });
        var manifest = PushedImage.Manifest(config, PushedImage.DigestOf(config), [layer]);
        PushedImage.DigestOf(manifest).ShouldBe(digest);
        return $"{digest}#{manifest.Length}";
    }

    private static ImageReference Reference(LoopbackRegistry registry, string image)
    {
        ImageReference.TryParse($"127.0.0.1:{registry.Port}/{image}", out var reference, out var why).ShouldBeTrue(why);
        return reference!;
    }

    private RegistryContent Content(LoopbackRegistry registry, string image, DockerCredentials? credentials = null) => new(Reference(registry, image), credentials ?? DockerCredentials.None, Cache);

    private DockerCredentials Configuration(string json) => DockerCredentials.Read(_folder.Write($"{Guid.NewGuid():N}/config.json", json));

    private DockerCredentials Auth(string key, string user) =>
        Configuration("{\"auths\":{\"" + key + "\":{\"auth\":\"" + Convert.ToBase64String(Encoding.UTF8.GetBytes(user)) + "\"}}}");

    private static async Task<byte[]> BytesAsync(ImageContent content, Descriptor descriptor)
    {
        await using var stream = await content.OpenAsync(descriptor, _ => { }, Token);
        using var bytes = new MemoryStream();
        await stream.CopyToAsync(bytes, Token);
        return bytes.ToArray();
    }

    private static async Task FetchAllAsync(ImageContent content)
    {
        var manifest = await ImageResolver.ResolveAsync(content, "amd64", Token);
        var (document, _) = await ImageResolver.ReadAsync(content, manifest, "amd64", Token);
        foreach (var layer in document.Layers!)
            PushedImage.DigestOf(await BytesAsync(content, layer)).ShouldBe(layer.Digest);
    }

    private static async Task<Fault> FaultAsync(Func<Task> action) => (await Should.ThrowAsync<FaultException>(action)).Faults[0];
}
