using System.Text;
using System.Text.Json.Nodes;
using OpenShell.Vm.Bundles;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Bundles;

public sealed class BundleImportTests : IDisposable
{
    private readonly BundleFixture _bundles = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _bundles.Dispose();

    [Fact]
    public async Task An_empty_cache_gets_just_what_was_built()
    {
        var made = await _bundles.CreateAsync();
        var set = await _bundles.SetAsync();
        var there = _bundles.Elsewhere();

        var imported = await BundleImport.RunAsync(there, made.Path, null, Token);

        var found = await imported.Images.FindAsync(there, null, Token);
        found.ShouldBe(new ImageSet
        {
            Kernel = In(there, set.Kernel),
            Initramfs = In(there, set.Initramfs!),
            Root = In(there, set.Root),
            Key = set.Key,
        });
        imported.Images.Bundle.ShouldBe(made.Digest);
        var here = BundleFixture.Tree(_bundles.Images.Layout.Artifacts);
        var artifacts = BundleFixture.Tree(new CacheLayout(there.Cache).Artifacts).Where(f => !f.Key.StartsWith(BundledArtifact.WorkloadKind, StringComparison.Ordinal)).ToList();
        artifacts.ShouldNotBeEmpty();
        foreach (var (name, content) in artifacts)
            content.ShouldBe(here[name], name);
        File.GetUnixFileMode(found.Kernel).ShouldBe(UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        (await new ImageBuilder(there).VerifyAsync(null, Token)).Faults.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_workload_comes_in_its_order_with_its_names()
    {
        var made = await _bundles.CreateAsync();

        var imported = await BundleImport.RunAsync(_bundles.Elsewhere(), made.Path, null, Token);

        imported.Workload.Manifests.Select(File.ReadAllText).ShouldBe(["kind: Namespace\n", "kind: Pod\n"]);
        imported.Workload.Manifests.Select(Path.GetFileName).ShouldBe(["first.yaml", "first.yaml"]);
        imported.Workload.Images.Select(Path.GetFileName).ShouldBe(["an image with a long name.tar"]);
        var config = imported.Apply(new InstanceConfig { Name = "a", Workload = new() { Manifests = ["/own.yaml"] } });
        config.Workload!.Manifests.ShouldBe([.. imported.Workload.Manifests, "/own.yaml"]);
        config.Pinned.ShouldBe(imported.Images);
        imported.Apply(new InstanceConfig { Name = "a", Mode = GuestMode.Exec }).Workload.ShouldBeNull();
    }

    [Fact]
    public async Task What_is_there_and_equal_is_not_written_again()
    {
        var made = await _bundles.CreateAsync();
        var there = _bundles.Elsewhere();
        var first = await BundleImport.RunAsync(there, made.Path, null, Token);
        var before = Stamps(there);
        var reports = new Images.Building.Reports();

        (await BundleImport.RunAsync(there, made.Path, reports, Token)).Images.ShouldBe(first.Images);

        Stamps(there).ShouldBe(before);
        var steps = reports.All.Where(r => r.Step != "verify").ToList();
        steps.ShouldNotBeEmpty();
        steps.ShouldAllBe(r => r.State == BuildState.Cached);
    }

    [Fact]
    public async Task A_start_takes_the_bundles_artifacts_though_the_cache_has_newer_ones()
    {
        var old = await _bundles.SetAsync();
        var made = await _bundles.CreateAsync();
        _bundles.Images.Folder.Write("source/recipe", "second");
        var newer = await _bundles.SetAsync();

        var imported = await BundleImport.RunAsync(_bundles.Images.Directories, made.Path, null, Token);

        newer.Key.ShouldNotBe(old.Key);
        (await imported.Images.FindAsync(_bundles.Images.Directories, null, Token)).ShouldBe(old);
        (await _bundles.SetAsync()).ShouldBe(newer, "without the bundle it is as ever");
    }

    [Fact]
    public async Task A_corrupt_artifact_of_the_cache_is_set_aside_and_put_back()
    {
        var made = await _bundles.CreateAsync();
        var set = await _bundles.SetAsync();
        File.SetUnixFileMode(set.Kernel, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllTextAsync(set.Kernel, "kernel as spoilt", Token);

        var imported = await BundleImport.RunAsync(_bundles.Images.Directories, made.Path, null, Token);

        (await imported.Images.FindAsync(_bundles.Images.Directories, null, Token)).ShouldBe(set);
        (await File.ReadAllTextAsync(set.Kernel, Token)).ShouldBe("kernel as built");
        Directory.EnumerateDirectories(_bundles.Images.Layout.Corrupt).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task The_same_recipe_with_other_bytes_stays_beside_the_bundles_and_each_is_found_by_whom_it_is_for()
    {
        var made = await _bundles.CreateAsync();
        var there = _bundles.Elsewhere();
        await BundleImport.RunAsync(there, made.Path, null, Token);

        // Another machine's build of the same inputs.
        var root = (await _bundles.SetAsync()).Root;
        var folder = Path.GetDirectoryName(In(there, root))!;
        var record = ArtifactCache.Read(folder)!;
        HostFiles.DeleteFolder(folder);
        var cache = new ArtifactCache(new CacheLayout(there.Cache));
        var building = cache.Begin(record.Kind, record.Key);
        await File.WriteAllTextAsync(Path.Combine(building, RootRecipe.Image), "root as built elsewhere", Token);
        await cache.CommitAsync(building, outputs => record with { Outputs = outputs }, Token);

        var imported = await BundleImport.RunAsync(there, made.Path, null, Token);

        var found = await imported.Images.FindAsync(there, null, Token);
        (await File.ReadAllTextAsync(found.Root, Token)).ShouldBe("root as built");
        (await File.ReadAllTextAsync(In(there, root), Token)).ShouldBe("root as built elsewhere");
        (await BundleImport.RunAsync(there, made.Path, null, Token)).Images.ShouldBe(imported.Images);
    }

    [Theory]
    [InlineData("kernel")]
    [InlineData("root")]
    [InlineData("gvproxy")]
    public async Task An_import_that_is_interrupted_leaves_whole_artifacts_and_no_half_ones(string at)
    {
        var made = await _bundles.CreateAsync();
        var there = _bundles.Elsewhere();
        using var cancelled = new CancellationTokenSource();
        var progress = new Images.Building.Reports();
        var cancel = new CancelAt(at, cancelled);

        await Should.ThrowAsync<OperationCanceledException>(() => BundleImport.RunAsync(there, made.Path, cancel, cancelled.Token));

        var layout = new CacheLayout(there.Cache);
        BundleFixture.Tree(layout.Building).ShouldBeEmpty();
        Directory.Exists(Path.Combine(layout.Artifacts, at)).ShouldBeFalse();
        (await new ImageBuilder(there).VerifyAsync(null, Token)).Faults.ShouldBeEmpty();
        var imported = await BundleImport.RunAsync(there, made.Path, progress, Token);
        (await imported.Images.FindAsync(there, null, Token)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_damaged_bundle_is_refused_with_all_its_damage_before_anything_is_changed()
    {
        var made = await _bundles.CreateAsync();
        var pieces = TarPiece.Of(made.Path);
        pieces[^1].Content[0] ^= 1;
        pieces[^2].Content[0] ^= 1;

        var faults = await RefusedAsync(pieces);

        faults.Count.ShouldBe(2);
        faults.ShouldAllBe(f => f.Code == "bundle.damaged");
    }

    [Fact]
    public async Task A_bundle_for_another_processor_is_refused_before_anything_is_changed()
    {
        var faults = await RefusedAsync(await ChangedAsync(json => json["architecture"] = "s390x"));

        faults.ShouldHaveSingleItem().Code.ShouldBe("bundle.other-architecture");
        faults[0].What.ShouldContain("s390x");
    }

    [Fact]
    public async Task A_bundle_of_a_newer_format_is_refused_whatever_else_it_has()
    {
        var faults = await RefusedAsync(await ChangedAsync(json =>
        {
            json.Clear();
            json["formatVersion"] = 2;
            json["everythingElse"] = "is new";
        }));

        faults.ShouldHaveSingleItem().Code.ShouldBe("bundle.newer-format");
    }

    [Theory]
    [InlineData("../../outside", null)]
    [InlineData("/outside", null)]
    [InlineData(null, "../outside")]
    [InlineData(null, "/outside")]
    public async Task A_manifest_that_is_consistent_and_leads_outside_is_refused_before_anything_is_changed(string? path, string? file)
    {
        var faults = await RefusedAsync(await ChangedAsync(json =>
        {
            var part = json["parts"]!.AsArray().First(p => (string?)p!["file"] == "kernel")!;
            part["path"] = path ?? (string?)part["path"];
            part["file"] = file ?? (string?)part["file"];
        }));

        faults.ShouldHaveSingleItem().Code.ShouldBe("bundle.unreadable");
        File.Exists(_bundles.File("outside")).ShouldBeFalse();
    }

    [Fact]
    public async Task An_artifact_whose_record_speaks_of_other_files_is_refused()
    {
        // Everything fits together but the record, which is that of the artifact before it was exchanged.
        var made = await _bundles.CreateAsync();
        var pieces = TarPiece.Of(made.Path);
        var at = pieces.FindIndex(p => p.Name.EndsWith("/" + KernelRecipe.Image, StringComparison.Ordinal));
        var other = "kernel exchanged"u8.ToArray();
        pieces[at] = TarPiece.Make(pieces[at].Name, other);
        pieces = Signed(pieces, json =>
        {
            var part = json["parts"]!.AsArray().First(p => (string?)p!["path"] == pieces[at].Name)!;
            part["size"] = other.Length;
            part["sha256"] = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(other));
        });

        (await RefusedAsync(pieces)).ShouldHaveSingleItem().What.ShouldContain("its record speaks of other files");
    }

    [Fact]
    public async Task What_was_pruned_since_is_told_with_the_remedy()
    {
        var made = await _bundles.CreateAsync();
        var there = _bundles.Elsewhere();
        var imported = await BundleImport.RunAsync(there, made.Path, null, Token);
        HostFiles.DeleteFolder(Path.Combine(new CacheLayout(there.Cache).Artifacts, KernelRecipe.Name));

        var fault = (await Should.ThrowAsync<FaultException>(() => imported.Images.FindAsync(there, null, Token))).Faults[0];

        fault.Code.ShouldBe("bundle.artifact-gone");
        fault.Remedy.ShouldContain("--bundle");
    }

    [Fact]
    public async Task Pruning_keeps_what_an_instance_was_given_from_a_bundle_as_long_as_there_is_the_instance()
    {
        var made = await _bundles.CreateAsync();
        var imported = await BundleImport.RunAsync(_bundles.Images.Directories, made.Path, null, Token);
        var config = System.Text.Json.JsonSerializer.Serialize(imported.Apply(new InstanceConfig { Name = "one" }), InstanceJson.Default.InstanceConfig);
        var file = _bundles.Images.Folder.Write("data/instances/one/config.json", config);

        await _bundles.Images.Builder().PruneAsync(new PruneRequest(), Token);
        imported.Workload.Manifests.ShouldAllBe(path => File.Exists(path));

        File.Delete(file);
        await _bundles.Images.Builder().PruneAsync(new PruneRequest(), Token);
        imported.Workload.Manifests.ShouldAllBe(path => !File.Exists(path));
    }

    [Fact]
    public async Task A_configuration_keeps_what_it_is_pinned_to()
    {
        var made = await _bundles.CreateAsync();
        var imported = await BundleImport.RunAsync(_bundles.Elsewhere(), made.Path, null, Token);
        var config = imported.Apply(new InstanceConfig { Name = "kept" });

        var read = System.Text.Json.JsonSerializer.Deserialize(System.Text.Json.JsonSerializer.Serialize(config, InstanceJson.Default.InstanceConfig), InstanceJson.Default.InstanceConfig);

        read!.Pinned.ShouldBe(config.Pinned);
    }

    private string In(HostDirectories there, string path) => path.Replace(_bundles.Images.Directories.Cache, there.Cache, StringComparison.Ordinal);

    private static Dictionary<string, FileStamp> Stamps(HostDirectories directories) =>
        Directory.EnumerateFiles(new CacheLayout(directories.Cache).Artifacts, "*", SearchOption.AllDirectories).ToDictionary(f => f, f => HostFiles.Stamp(f)!);

    private async Task<IReadOnlyList<Fault>> RefusedAsync(IEnumerable<TarPiece> pieces)
    {
        TarPiece.Write(_bundles.File("bad.tar"), pieces);
        var there = _bundles.Elsewhere("untouched");
        var thrown = await Should.ThrowAsync<FaultException>(() => BundleImport.RunAsync(there, _bundles.File("bad.tar"), null, Token));
        Directory.Exists(Path.Combine(there.Cache, "artifacts")).ShouldBeFalse();
        return thrown.Faults;
    }

    private async Task<List<TarPiece>> ChangedAsync(Action<JsonObject> change) => Signed(TarPiece.Of((await _bundles.CreateAsync()).Path), change);

    /// <summary>The bundle as somebody would make it who knows the format: another manifest, and its true sum.</summary>
    private static List<TarPiece> Signed(List<TarPiece> pieces, Action<JsonObject> change)
    {
        var json = JsonNode.Parse(pieces[0].Content)!.AsObject();
        change(json);
        var text = Encoding.UTF8.GetBytes(json.ToJsonString() + "\n");
        var digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(text));
        return [TarPiece.Make(BundleNames.Manifest, text), TarPiece.Make(BundleNames.ManifestSum, BundleVerifier.SumOf(digest)), .. pieces[2..]];
    }

    private sealed class CancelAt(string step, CancellationTokenSource source) : IProgress<BuildProgress>
    {
        public void Report(BuildProgress value)
        {
            if (value.Step == step && value.State == BuildState.Started)
                source.Cancel();
        }
    }
}
