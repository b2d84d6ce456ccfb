using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Tests.Images.Building;

namespace OpenShell.Vm.Tests.Images;

public sealed class ImageBuilderTests : IDisposable
{
    private static readonly ImageRequest Cluster = new() { Mode = GuestMode.Cluster };
    private static readonly ImageRequest Program = new() { Mode = GuestMode.Exec };

    private readonly ImageFixture _images = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _images.Dispose();

    [Fact]
    public async Task Nothing_is_found_in_an_empty_cache_and_nothing_is_made_by_looking()
    {
        (await _images.Builder().FindAsync(Cluster, Token)).ShouldBeNull();
        Directory.Exists(_images.Directories.Cache).ShouldBeFalse();
    }

    [Fact]
    public async Task What_was_built_is_found_and_not_built_again()
    {
        var built = await _images.Builder().EnsureAsync(Cluster, null, Token);

        (await _images.Builder().FindAsync(Cluster, Token)).ShouldBe(built);
        var reports = new Reports();
        (await _images.Builder().EnsureAsync(Cluster, reports, Token)).ShouldBe(built);

        reports.All.ShouldNotBeEmpty();
        reports.All.ShouldAllBe(r => r.State == BuildState.Cached);
        _images.Recipes.Sum(r => r.Builds).ShouldBe(3);
        File.ReadAllText(built.Kernel).ShouldBe("kernel as built");
        File.ReadAllText(built.Initramfs!).ShouldBe("initramfs as built");
        File.ReadAllText(built.Root).ShouldBe("root as built");
    }

    [Fact]
    public async Task Looking_reads_no_file_that_is_as_it_was_when_it_was_last_checked()
    {
        var set = await _images.Builder().EnsureAsync(Cluster, null, Token);

        // Spoilt, and noted as checked: only who reads it finds that out.
        Tamper(set.Root);
        var folder = Path.GetDirectoryName(set.Root)!;
        var stamps = ArtifactCache.ReadStamps(folder);
        stamps[RootRecipe.Image] = HostFiles.Stamp(set.Root)!;
        await HostFiles.WriteWholeAsync(Path.Combine(folder, CacheLayout.StampsFile), JsonSerializer.SerializeToUtf8Bytes(stamps, CacheJson.Default.DictionaryStringFileStamp), Token);

        (await _images.Builder().FindAsync(Cluster, Token)).ShouldBe(set);
        (await _images.Builder().VerifyAsync(null, Token)).Faults.ShouldHaveSingleItem().What.ShouldContain(set.Root);
    }

    [Fact]
    public async Task A_changed_input_gives_another_address_and_the_old_artifact_stays_until_it_is_pruned()
    {
        var before = await _images.Builder().EnsureAsync(Cluster, null, Token);
        _images.Folder.Write("source/recipe", "second");

        (await _images.Builder().FindAsync(Cluster, Token)).ShouldBeNull();
        var after = await _images.Builder().EnsureAsync(Cluster, null, Token);

        after.Key.ShouldNotBe(before.Key);
        File.Exists(before.Root).ShouldBeTrue();
        _images.Folder.Write("source/recipe", "first");
        (await _images.Builder().FindAsync(Cluster, Token)).ShouldBe(before);
    }

    [Fact]
    public async Task A_program_gets_a_root_without_Kubernetes_unless_the_clusters_is_there()
    {
        var small = await _images.Builder().EnsureAsync(Program, null, Token);
        small.Root.ShouldContain($"/{RootRecipe.ProgramName}/");

        var whole = await _images.Builder().EnsureAsync(Cluster, null, Token);

        (await _images.Builder().FindAsync(Program, Token)).ShouldBe(whole);
        (await _images.Builder().EnsureAsync(Program, null, Token)).ShouldBe(whole);
    }

    [Fact]
    public async Task A_corrupt_artifact_is_named_set_aside_and_built_again_by_the_next_build()
    {
        var set = await _images.Builder().EnsureAsync(Cluster, null, Token);
        Tamper(set.Root);

        (await Should.ThrowAsync<FaultException>(() => _images.Builder().FindAsync(Cluster, Token))).Faults[0].What.ShouldContain(set.Root);
        File.Exists(set.Root).ShouldBeTrue("looking changes nothing");

        var fault = (await Should.ThrowAsync<FaultException>(() => _images.Builder().EnsureAsync(Cluster, null, Token))).Faults[0];
        fault.Code.ShouldBe("image.artifact-corrupt");
        fault.What.ShouldContain(set.Root);
        fault.Remedy.ShouldContain(_images.Layout.Corrupt);

        (await _images.Builder().EnsureAsync(Cluster, null, Token)).ShouldBe(set);
        File.ReadAllText(set.Root).ShouldBe("root as built");
    }

    [Fact]
    public async Task A_repair_builds_a_corrupt_artifact_again_at_once()
    {
        var set = await _images.Builder().EnsureAsync(Cluster, null, Token);
        Tamper(set.Kernel);

        (await _images.Builder().EnsureAsync(Cluster with { Repair = true }, null, Token)).ShouldBe(set);

        File.ReadAllText(set.Kernel).ShouldBe("kernel as built");
    }

    [Fact]
    public async Task Verifying_names_every_file_that_changed()
    {
        var set = await _images.Builder().EnsureAsync(Cluster, null, Token);
        (await _images.Builder().VerifyAsync(null, Token)).Ok.ShouldBeTrue();
        Tamper(set.Kernel);
        Tamper(set.Root);

        var report = await _images.Builder().VerifyAsync(null, Token);

        report.Ok.ShouldBeFalse();
        report.Faults.Select(f => f.What).ShouldContain(w => w.Contains(set.Kernel));
        report.Faults.Select(f => f.What).ShouldContain(w => w.Contains(set.Root));
        report.Verified.ShouldHaveSingleItem().Kind.ShouldBe(InitramfsRecipe.Name);
    }

    [Fact]
    public async Task The_list_tells_what_is_current_and_which_instance_uses_what()
    {
        var old = await _images.Builder().EnsureAsync(Cluster, null, Token);
        _images.Folder.Write("data/instances/one/plan.json", $$"""{ "kernel": "{{old.Kernel}}" }""");
        _images.Folder.Write("source/recipe", "second");
        await _images.Builder().EnsureAsync(Cluster, null, Token);

        var list = await _images.Builder().ListAsync(Token);

        list.Count.ShouldBe(6);
        list.Count(a => a.Current).ShouldBe(3);
        list.Single(a => a.Instances.Contains("one")).ShouldSatisfyAllConditions(
            a => a.Kind.ShouldBe(KernelRecipe.Name),
            a => a.Current.ShouldBeFalse(),
            a => a.Version.ShouldBe("1.0"),
            a => a.Size.ShouldBe("kernel as built".Length));
    }

    [Fact]
    public async Task An_unreadable_artifact_is_listed_with_its_fault()
    {
        var set = await _images.Builder().EnsureAsync(Cluster, null, Token);
        var record = Path.Combine(Path.GetDirectoryName(set.Kernel)!, CacheLayout.RecordFile);
        File.WriteAllText(record, "nonsense");
        (await _images.Builder().ListAsync(Token)).Single(a => a.Kind == KernelRecipe.Name).Fault.ShouldNotBeNull().What.ShouldContain(record);
    }

    [Fact]
    public async Task Pruning_keeps_what_is_current_and_what_an_instance_uses()
    {
        var old = await _images.Builder().EnsureAsync(Cluster, null, Token);
        _images.Folder.Write("data/instances/one/plan.json", $$"""{ "kernel": "{{old.Kernel}}" }""");
        _images.Folder.Write("source/recipe", "second");
        var current = await _images.Builder().EnsureAsync(Cluster, null, Token);
        _images.Folder.Write("cache/building/root-0123/half", "built");

        var dry = await _images.Builder().PruneAsync(new PruneRequest { DryRun = true }, Token);
        File.Exists(old.Root).ShouldBeTrue("it was a dry run");
        var report = await _images.Builder().PruneAsync(new PruneRequest(), Token);

        report.Removed.ShouldBe(dry.Removed);
        report.Removed.Count.ShouldBe(3, "the old root, the old initramfs, the interrupted build");
        File.Exists(old.Root).ShouldBeFalse();
        File.Exists(old.Kernel).ShouldBeTrue();
        report.Kept.ShouldHaveSingleItem().Folder.ShouldBe(Path.GetDirectoryName(old.Kernel));
        (await _images.Builder().FindAsync(Cluster, Token)).ShouldBe(current);
    }

    [Fact]
    public async Task Pruning_leaves_alone_what_another_process_is_building()
    {
        await _images.Builder().EnsureAsync(Cluster, null, Token);
        _images.Folder.Write("cache/building/root-0123/half", "built");
        using var other = Guard.TryEnter(_images.Layout.Guard("root-0123"));

        (await _images.Builder().PruneAsync(new PruneRequest(), Token)).Removed.ShouldBeEmpty();

        File.Exists(_images.Folder.File("cache/building/root-0123/half")).ShouldBeTrue();
    }

    [Fact]
    public async Task Pruning_gives_back_the_memory_of_a_killed_bake_and_leaves_alone_that_of_a_bake_that_runs_and_of_another_cache()
    {
        await _images.Builder().EnsureAsync(Cluster, null, Token);
        string[] memories =
        [
            new MemoryPlace(_images.Directories.Cache).Make("killed", _images.Folder.Path, 1), new MemoryPlace(_images.Directories.Cache).Make("runs", _images.Folder.Path, 1), new MemoryPlace(_images.Directories.Cache + "-other").Make("killed", _images.Folder.Path, 1),
        ];
        Assert.SkipWhen(memories.Any(memory => memory.StartsWith(_images.Folder.Path, StringComparison.Ordinal)), "/dev/shm is missing or full");
        try
        {
            foreach (var memory in memories)
                await File.WriteAllBytesAsync(memory, new byte[4096], Token);
            using var baking = Guard.TryEnter(_images.Layout.Guard("golden-runs"));

            var removed = (await _images.Builder().PruneAsync(new PruneRequest(), Token)).Removed.ShouldHaveSingleItem();

            (removed.Path, removed.Bytes).ShouldBe((memories[0], 4096));
            memories.Select(File.Exists).ShouldBe([false, true, true]);
        }
        finally
        {
            foreach (var memory in memories)
                File.Delete(memory);
        }
    }

    [Fact]
    public async Task Pruning_keeps_golden_images_that_a_start_may_still_find_and_removes_all_others()
    {
        var set = await _images.Builder().EnsureAsync(Cluster, null, Token);
        _images.Folder.Write("vmlinux", "a kernel of the user's");
        var ofFile = Cluster with { Kernel = _images.Folder.File("vmlinux") };
        var own = await _images.Builder().EnsureAsync(ofFile, null, Token);
        own.Key.ShouldNotBe(set.Key);
        string[] kept =
        [
            Golden(1, set.Key, BakedOf.Of(Cluster)),
            Golden(2, own.Key, BakedOf.Of(ofFile)),
            Golden(3, set.Key, null),
        ];
        string[] useless =
        [
            Golden(4, "images of the past", BakedOf.Of(Cluster)),
            Golden(5, set.Key, BakedOf.Of(Cluster), hypervisor: "another"),
            Golden(6, set.Key, BakedOf.Of(Cluster), format: GoldenKey.CurrentFormat - 1),
            Golden(7, own.Key, BakedOf.Of(Cluster with { Kernel = _images.Folder.File("gone") })),
        ];

        (await _images.Builder("now").ListAsync(Token)).Where(image => image is { Kind: "golden", Current: true }).Select(image => image.Folder).ShouldBe(kept, ignoreOrder: true);
        (await _images.Builder("now").PruneAsync(new PruneRequest(), Token)).Removed.Select(removed => removed.Path).ShouldBe(useless, ignoreOrder: true);

        useless.ShouldAllBe(folder => !Directory.Exists(folder));
        (await _images.Builder("now").PruneAsync(new PruneRequest(), Token)).Removed.ShouldBeEmpty();
        (await _images.Builder("updated").PruneAsync(new PruneRequest(), Token)).Removed.Count.ShouldBe(kept.Length);
    }

    [Fact]
    public async Task What_pruning_frees_is_what_is_allocated_and_has_no_other_name()
    {
        await _images.Builder().EnsureAsync(Cluster, null, Token);
        var folder = _images.Folder.File("cache/building/root-0123");
        Directory.CreateDirectory(folder);
        var (sparse, shared) = (Path.Combine(folder, "sparse"), Path.Combine(folder, "shared"));
        await using (var file = File.Create(sparse))
        {
            await file.WriteAsync(Enumerable.Repeat((byte)1, 8192).ToArray(), Token);
            file.SetLength(1L << 30);
        }

        await File.WriteAllBytesAsync(shared, [.. Enumerable.Repeat((byte)1, 65536)], Token);
        (await BytesAsync()).ShouldBe(HostFiles.AllocatedBytes(sparse) + HostFiles.AllocatedBytes(shared));
        Libc.Link(shared, _images.Folder.File("mine")).ShouldBe(0);
        (await BytesAsync()).ShouldBe(HostFiles.AllocatedBytes(sparse));
        HostFiles.AllocatedBytes(sparse).ShouldBeLessThan(1 << 20);

        async Task<long> BytesAsync() => (await _images.Builder().PruneAsync(new PruneRequest { DryRun = true }, Token)).Removed.ShouldHaveSingleItem().Bytes;
    }

    /// <summary>A golden image as it is known by what is written down of it.</summary>
    private string Golden(int gib, string images, BakedOf? baked, string hypervisor = "now", int format = GoldenKey.CurrentFormat)
    {
        var key = new GoldenKey
        {
            Format = format,
            Machine = new MachineIdentity { Hypervisor = "QEMU 10.0.2", HypervisorSha256 = hypervisor, Accelerator = "tcg", Processor = "emulated", Arguments = [], Images = images },
            Vcpus = 2,
            MemoryMib = 3072,
            DiskGib = gib,
            Distribution = "upstream",
        };
        var files = new GoldenStore(_images.Directories).Next(key.Hash());
        Directory.CreateDirectory(files.Folder);
        GoldenStore.Write(files, new GoldenRecord { Key = key, MadeAt = DateTimeOffset.UnixEpoch, NodeName = "openshell", Files = [], BakedOf = baked });
        return files.Folder;
    }

    [Fact]
    public async Task A_cache_that_cannot_be_written_is_a_fault_that_names_it()
    {
        _images.Folder.Write("cache", "a file where the folder should be");
        var fault = (await Should.ThrowAsync<FaultException>(() => _images.Builder().EnsureAsync(Cluster, null, Token))).Faults[0];
        fault.Code.ShouldBe("image.cache-not-writable");
        fault.What.ShouldContain(_images.Directories.Cache);
    }

    [Fact]
    public async Task A_distribution_without_recipe_is_refused() =>
        (await Should.ThrowAsync<FaultException>(() => _images.Builder().FindAsync(Cluster with { Distribution = "k0s" }, Token))).Faults[0].What.ShouldContain("k0s");

    private static void Tamper(string path)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}
