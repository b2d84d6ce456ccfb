using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Snapshots;

/// <summary>With real files: a disk that stands on another, and memory that was saved with it.</summary>
public sealed class SnapshotFinderTests : IDisposable
{
    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("ovt-");
    private readonly InstanceFiles _files;
    private readonly InstancesOptions _options;
    private readonly HostFacts _host = Made.Host();
    private readonly InstanceConfig _config;

    public SnapshotFinderTests()
    {
        var directories = new HostDirectories
        {
            Data = Path.Combine(_root.FullName, "data"),
            Cache = Path.Combine(_root.FullName, "cache"),
            OpenShellConfig = Path.Combine(_root.FullName, "config"),
            Runtime = Path.Combine(_root.FullName, "run"),
            Kube = Path.Combine(_root.FullName, "kube"),
        };
        _options = new InstancesOptions { Directories = directories, UsesGolden = true };
        _files = InstanceFiles.For(directories, InstanceName.Parse("one"));
        Directory.CreateDirectory(_files.Root);
        _config = InstanceDefaults.Fill(new InstanceConfig { Name = "one", Vcpus = 2 }, _host);
    }

    public void Dispose() => _root.Delete(recursive: true);

    [Fact]
    public async Task A_memory_with_the_disk_of_its_instant_is_gone_on_from()
    {
        await SuspendAsync();
        var (choice, notes) = Find(Plan());
        notes.ShouldBeEmpty();
        choice.ShouldNotBeNull().From.ShouldBe(new SavedMachine(new Snapshot(_files).Machine, HoldsMemory: true));
        choice.Becomes.ShouldBeNull();
    }

    [Fact]
    public async Task A_disk_that_was_given_to_a_machine_since_refuses_it()
    {
        await SuspendAsync();
        DiskGeneration.Advance(_files);
        Refused(Plan(), "the disk has moved on (generation 2; the memory is of 1)");
    }

    [Fact]
    public async Task A_disk_that_somebody_wrote_to_refuses_it()
    {
        await SuspendAsync();
        using (var disk = new FileStream(_files.StateDisk, FileMode.Open, FileAccess.Write))
        {
            disk.Seek(3 * 65536, SeekOrigin.Begin);
            disk.WriteByte(1);
        }

        Refused(Plan(), "state.qcow2 was written to or replaced since");
    }

    [Fact]
    public async Task A_base_below_the_disk_that_is_another_refuses_it()
    {
        await SuspendAsync();
        var below = DiskImage.BackingOf(_files.StateDisk)!;
        File.SetUnixFileMode(below, AtomicFile.OwnerOnly);
        await File.AppendAllTextAsync(below, "x", TestContext.Current.CancellationToken);
        Refused(Plan(), "was written to or replaced since");
    }

    [Fact]
    public async Task A_memory_that_was_cut_off_is_refused()
    {
        await SuspendAsync();
        using (var memory = new FileStream(new Snapshot(_files).Machine, FileMode.Open))
            memory.SetLength(10);
        Refused(Plan(), "has 10 bytes instead of 100000");
    }

    [Fact]
    public async Task A_memory_that_was_replaced_by_one_of_the_same_length_is_refused()
    {
        await SuspendAsync();
        var path = new Snapshot(_files).Machine;
        File.Move(path, path + ".old");
        await File.WriteAllBytesAsync(path, new byte[100_000], TestContext.Current.CancellationToken);
        Refused(Plan(), "was changed or replaced since it was made");
    }

    [Fact]
    public async Task A_changed_argument_refuses_it_and_is_named()
    {
        await SuspendAsync();
        Refused(Plan() with { KernelArguments = ["quiet", "another=argument"] }, "another=argument");
        Refused(Plan() with { Vcpus = 4 }, "machine: 2 -> 4");
    }

    [Fact]
    public async Task Another_QEMU_refuses_it()
    {
        await SuspendAsync();
        Refused(Plan(), "QEMU 10.0.2 -> QEMU 10.0.3", _host with { QemuVersion = new Version(10, 0, 3) });
        Refused(Plan(), "hypervisor's program: aaaa -> bbbb", qemu: "bbbb");
    }

    [Fact]
    public async Task A_record_of_another_layout_or_one_that_cannot_be_read_refuses_it()
    {
        await SuspendAsync(record => record with { Format = 99 });
        Refused(Plan(), "another version of this program");
        await File.WriteAllTextAsync(Path.Combine(_files.Snapshot, Snapshot.RecordName), "{", TestContext.Current.CancellationToken);
        Refused(Plan(), "cannot be read");
    }

    [Fact]
    public async Task A_start_that_is_to_boot_looks_at_none()
    {
        await SuspendAsync();
        new SnapshotFinder(_options, _files, _config with { Start = StartKinds.Boot }, _host).Find(Plan(), Made.Images, "aaaa", null).ShouldBeNull();
    }

    [Fact]
    public async Task The_memory_of_a_clone_is_another_instances_who_is_told_who_it_is()
    {
        var origin = new InstanceOrigin { Source = "other", ClonedAt = DateTimeOffset.UnixEpoch, NodeName = "other", Identity = "mine" };
        InstanceStore.WriteOrigin(_files.Origin, origin);
        await SuspendAsync(record => record with { Identity = null });
        Find(Plan()).Choice.ShouldNotBeNull().Becomes.ShouldBe(origin);
        new Snapshot(_files).Remove();

        await SuspendAsync(record => record with { Identity = "mine" });
        Find(Plan()).Choice.ShouldNotBeNull().Becomes.ShouldBeNull();
    }

    [Fact]
    public async Task Clones_of_a_suspended_instance_go_on_from_its_memory_as_somebody_else_and_it_goes_on_as_itself()
    {
        var store = new InstanceStore(_options.Directories);
        InstanceStore.WriteConfig(_files, _config);
        InstanceStore.WriteOrigin(_files.Origin, new InstanceOrigin { Source = "golden", ClonedAt = DateTimeOffset.UnixEpoch, NodeName = "openshell", Identity = "mine" });
        await SuspendAsync(record => record with { Identity = "mine" });

        var clones = await new LocalInstances(_options).CloneAsync("one", ["two", "three"], TestContext.Current.CancellationToken);
        clones.Select(clone => (clone.Name, clone.Phase, clone.CloneOf)).ShouldBe([("two", InstancePhase.Suspended, "one"), ("three", InstancePhase.Suspended, "one")]);
        Find(Plan()).Choice.ShouldNotBeNull().Becomes.ShouldBeNull();

        // It is used up by its resume; those of the clones are theirs.
        new Snapshot(_files).Remove();
        foreach (var name in new[] { "two", "three" })
        {
            var files = InstanceFiles.For(_options.Directories, InstanceName.Parse(name));
            var config = InstanceDefaults.Fill(store.ReadConfig(InstanceName.Parse(name)), _host);
            var finder = new SnapshotFinder(_options, files, config, _host);
            var choice = finder.Find(BootPlanner.Plan(config, _host, Made.Images, files), Made.Images, "aaaa", null);
            finder.Notes.ShouldBeEmpty();
            choice.ShouldNotBeNull().From.Path.ShouldBe(new Snapshot(files).Machine);
            choice.Becomes.ShouldNotBeNull().NodeName.ShouldBe("openshell");
            choice.Becomes.Identity.ShouldNotBe("mine");
            new Snapshot(files).Remove();
        }
    }

    [Fact]
    public async Task A_memory_whose_guest_cannot_be_told_that_it_is_another_stays_with_its_instance()
    {
        InstanceStore.WriteConfig(_files, _config);
        await SuspendAsync();

        (await new LocalInstances(_options).CloneAsync("one", "two", TestContext.Current.CancellationToken)).Phase.ShouldBe(InstancePhase.Stopped);
        Find(Plan()).Choice.ShouldNotBeNull();
    }

    [Fact]
    public async Task Clones_of_which_one_has_a_name_that_is_taken_are_not_made()
    {
        InstanceStore.WriteConfig(_files, _config);
        await SuspendAsync();
        var instances = new LocalInstances(_options);
        foreach (var names in (string[][])[["two", "one"], ["two", "two"]])
            (await Should.ThrowAsync<FaultException>(() => instances.CloneAsync("one", names, TestContext.Current.CancellationToken))).Faults[0].Code.ShouldBe("instance.exists");
        (await instances.ListAsync(TestContext.Current.CancellationToken)).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task One_flipped_bit_is_found_by_its_hash()
    {
        await SuspendAsync();
        var snapshot = new Snapshot(_files);
        var saved = snapshot.Read().Machinery;
        (await saved.VerifyAsync(snapshot.Folder, null, TestContext.Current.CancellationToken)).ShouldBeNull();
        using (var memory = new FileStream(snapshot.Machine, FileMode.Open, FileAccess.ReadWrite))
        {
            memory.Seek(77_777, SeekOrigin.Begin);
            memory.WriteByte(0x40);
        }

        (await saved.VerifyAsync(snapshot.Folder, null, TestContext.Current.CancellationToken)).ShouldNotBeNull().What.ShouldContain("is damaged");
    }

    [Fact]
    public void A_new_instance_without_a_golden_image_is_told_that_none_is_baked() =>
        Refused(Plan(), "no golden image is baked yet");

    [Fact]
    public async Task A_new_instance_begins_as_the_golden_image_of_its_options()
    {
        var hash = await BakeAsync();
        var (choice, notes) = Find(Plan());
        notes.ShouldBeEmpty();
        choice.ShouldNotBeNull().Golden!.Folder.ShouldEndWith(hash);
        choice.Memory!.Sharing.ShouldBe(MemorySharing.Private);
        choice.Becomes!.NodeName.ShouldBe("openshell");
        Find(Plan()).Choice!.Becomes!.Identity.ShouldNotBe(choice.Becomes.Identity);
    }

    [Fact]
    public async Task Options_that_no_image_is_baked_of_are_told_with_what_differs()
    {
        await BakeAsync();
        var other = _config with { MemoryMib = 5000 };
        var finder = new SnapshotFinder(_options, _files, other, _host);
        finder.Find(Plan() with { MemoryMib = 5000 }, Made.Images, "aaaa", null).ShouldBeNull();
        finder.Notes.ShouldHaveSingleItem().ShouldBe("no golden image is baked of what is asked for; the nearest differs (memory: 4096 MiB -> 5000 MiB)");
        finder.RefusedOwn.ShouldBeFalse();
    }

    [Fact]
    public async Task A_golden_image_that_was_changed_is_refused()
    {
        var files = new GoldenStore(_options.Directories).Files(await BakeAsync());
        await File.AppendAllTextAsync(files.Memory, "x", TestContext.Current.CancellationToken);
        Refused(Plan(), "instead of 4096");
    }

    [Fact]
    public async Task One_flipped_bit_anywhere_in_a_golden_image_is_found()
    {
        var store = new GoldenStore(_options.Directories);
        var hash = await BakeAsync();
        var files = store.Files(hash);
        (await GoldenStore.VerifyAsync(files, null, TestContext.Current.CancellationToken)).ShouldBeEmpty();
        foreach (var path in new[] { files.Memory, files.Devices, files.Disk })
        {
            foreach (var bit in new[] { 0, 8 * 100, (8 * 4096) - 1 })
            {
                Flip(path, bit);
                (await GoldenStore.VerifyAsync(files, null, TestContext.Current.CancellationToken)).ShouldHaveSingleItem().What.ShouldContain(path);
                Flip(path, bit);
            }
        }

        // Of what is written down of it, each.
        for (var bit = 0; bit < new FileInfo(files.Record).Length * 8; bit++)
        {
            Flip(files.Record, bit);
            (await GoldenStore.VerifyAsync(files, null, TestContext.Current.CancellationToken)).ShouldNotBeEmpty($"bit {bit} of {files.Record}");
            Flip(files.Record, bit);
        }
    }

    [Fact]
    public async Task A_golden_image_whose_files_were_moved_and_are_the_same_is_taken_back_into_use()
    {
        var store = new GoldenStore(_options.Directories);
        var hash = await BakeAsync();
        var memory = store.Files(hash).Memory;
        File.Copy(memory, memory + ".copy");
        File.Move(memory + ".copy", memory, overwrite: true);
        Refused(Plan(), "was changed or replaced");

        (await store.RenewAsync(hash, TestContext.Current.CancellationToken)).ShouldBeTrue();
        Find(Plan()).Choice.ShouldNotBeNull();
        (await GoldenStore.VerifyAsync(store.Files(hash), null, TestContext.Current.CancellationToken)).ShouldBeEmpty();

        Flip(memory, 77);
        (await store.RenewAsync(hash, TestContext.Current.CancellationToken)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_golden_image_that_is_baked_anew_leaves_the_one_of_before_where_it_is()
    {
        var store = new GoldenStore(_options.Directories);
        var hash = await BakeAsync();
        var first = store.Files(hash);
        await File.AppendAllTextAsync(first.Memory, "x", TestContext.Current.CancellationToken);

        await BakeAsync();
        var second = store.Files(hash);
        (first.Folder, second.Folder).ShouldBe((Path.Combine(_options.Directories.Cache, "golden", hash), first.Folder + ".2"));
        File.Exists(first.Disk).ShouldBeTrue();
        Find(Plan()).Choice.ShouldNotBeNull().Golden!.Folder.ShouldBe(second.Folder);
        store.List().Select(image => (image.Hash, image.Folder, image.Fault is null)).ShouldBe([(hash, second.Folder, true), (hash, first.Folder, false)], ignoreOrder: true);
    }

    [Fact]
    public async Task A_second_name_for_its_disk_is_no_change_of_a_golden_image()
    {
        var files = new GoldenStore(_options.Directories).Files(await BakeAsync());
        Libc.Link(files.Disk, Path.Combine(_root.FullName, "mine")).ShouldBe(0);
        Find(Plan()).Choice.ShouldNotBeNull();
    }

    [Fact]
    public async Task What_a_memory_has_open_or_was_given_must_be_what_the_start_says()
    {
        await SuspendAsync(record => record with { Delivery = "given", AllowHostLoopback = true, Proxy = "proxies" });
        var notes = Find(Plan()).Notes.ShouldHaveSingleItem();
        notes.ShouldContain("its pods may reach the host's loopback, and this start does not allow it");
        notes.ShouldContain("it was started with other proxies");
        notes.ShouldNotContain("given along");

        new Snapshot(_files).Remove();
        await SuspendAsync(record => record with { Delivery = "given" });
        var finder = new SnapshotFinder(_options, _files, _config, _host);
        finder.Find(Plan(), Made.Images, "aaaa", "something else").ShouldBeNull();
        finder.Notes.ShouldHaveSingleItem().ShouldContain("what is given along (manifests, images, charts, authorities, mirrors) is not what it was given");
        finder.RefusedOwn.ShouldBeTrue();
        Find(Plan()).Choice.ShouldNotBeNull().Delivery.ShouldBe("given");
    }

    [Fact]
    public async Task Pages_lie_over_the_memory_of_a_golden_image_by_the_instances_own_name_for_it()
    {
        await PagesAsync();
        var choice = Find(Plan()).Choice.ShouldNotBeNull();
        choice.From.ShouldBe(new SavedMachine(new Snapshot(_files).Machine, HoldsMemory: false) { Pages = new Snapshot(_files).Pages });
        choice.Memory.ShouldBe(new GuestMemory(MemorySharing.Private, _files.MemoryBase));

        // One name more or less is no change; another file is.
        File.Delete(Path.Combine(_root.FullName, "golden.img"));
        Find(Plan()).Choice.ShouldNotBeNull();
        File.Copy(_files.MemoryBase, _files.MemoryBase + ".new");
        File.Move(_files.MemoryBase + ".new", _files.MemoryBase, overwrite: true);
        Refused(Plan(), "memory.base was changed or replaced");
    }

    [Theory]
    [InlineData("memory/memory.pages")]
    [InlineData("memory/machine.state")]
    [InlineData("memory.base")]
    public async Task One_flipped_bit_in_any_file_of_a_suspended_memory_is_found(string name)
    {
        await PagesAsync();
        var snapshot = new Snapshot(_files);
        (await snapshot.VerifyAsync(null, TestContext.Current.CancellationToken)).ShouldBeEmpty();
        Flip(Path.Combine(_files.Root, name), 12345);
        (await snapshot.VerifyAsync(null, TestContext.Current.CancellationToken)).ShouldHaveSingleItem().What.ShouldContain(Path.GetFileName(name));
    }

    /// <summary>A name that is read as another is as bad as a value: the pages would lie over nothing.</summary>
    [Fact]
    public async Task One_flipped_bit_in_what_is_written_down_of_a_suspended_memory_is_found_and_refuses_it()
    {
        await PagesAsync();
        var (snapshot, plan, path) = (new Snapshot(_files), Plan(), Path.Combine(_files.Snapshot, Snapshot.RecordName));
        for (var bit = 0; bit < new FileInfo(path).Length * 8; bit++)
        {
            Flip(path, bit);
            var (choice, notes) = Find(plan);
            (choice is null && notes.Count == 1 && snapshot.ReadFitting() is null && (await snapshot.VerifyAsync(null, TestContext.Current.CancellationToken)).Count == 1).ShouldBeTrue($"bit {bit} of {path}");
            Flip(path, bit);
        }

        Find(plan).Choice.ShouldNotBeNull();
        (await snapshot.VerifyAsync(null, TestContext.Current.CancellationToken)).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("\"hash\"")]
    [InlineData("\"stamp\"")]
    [InlineData("\"headerSha256\"")]
    [InlineData("\"machinery\"")]
    public async Task A_record_in_which_something_is_missing_is_refused_also_where_it_is_sealed(string name)
    {
        await SuspendAsync();
        var path = Path.Combine(_files.Snapshot, Snapshot.RecordName);
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).Replace(name, "\"other\"", StringComparison.Ordinal), TestContext.Current.CancellationToken);

        Refused(Plan(), "cannot be read");
        (await new Snapshot(_files).VerifyAsync(null, TestContext.Current.CancellationToken)).ShouldHaveSingleItem().What.ShouldContain(path);
    }

    [Fact]
    public async Task A_clone_that_is_interrupted_when_the_disk_was_given_another_top_leaves_the_source_its_memory()
    {
        InstanceStore.WriteConfig(_files, _config);
        InstanceStore.WriteOrigin(_files.Origin, new InstanceOrigin { Source = "golden", ClonedAt = DateTimeOffset.UnixEpoch, NodeName = "openshell", Identity = "mine" });
        await SuspendAsync(record => record with { Identity = "mine" });

        // The disk was written to, so it is frozen, and an empty image takes its place; then comes the clone's own, which stands on a disk in another folder. That one never gets done.
        var (tool, asked) = (Path.Combine(_root.FullName, "qemu-img"), Path.Combine(_root.FullName, "asked"));
        await File.WriteAllTextAsync(
            tool,
            $$"""
            #!/bin/sh
            case "$*" in
                map*) echo '[{"start": 0, "length": 65536, "depth": 0, "present": true}]' ;;
                *" ../"*) : > "{{asked}}"; exec sleep 600 ;;
                *) exec "{{RealTools.QemuImg}}" "$@" ;;
            esac
            """,
            TestContext.Current.CancellationToken);
        File.SetUnixFileMode(tool, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var layers = DiskImage.Chain(_files.StateDisk).Count;
        using var stop = new CancellationTokenSource();
        var cloning = new InstanceCloner(_options, QemuImg.Require(tool)).CloneAsync("one", "two", stop.Token);
        await Eventually.BeTrueAsync(() => cloning.IsCompleted || File.Exists(asked), "the clone's own disk is being made");
        DiskImage.Chain(_files.StateDisk).Count.ShouldBe(layers + 1);

        await stop.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(cloning);

        Find(Plan()).Notes.ShouldBeEmpty();
        Directory.Exists(InstanceFiles.For(_options.Directories, InstanceName.Parse("two")).Root).ShouldBeFalse();
    }

    [Fact]
    public async Task What_lies_below_its_memory_is_counted_as_shared()
    {
        await PagesAsync();
        var instances = new LocalInstances(_options);
        var shared = (await instances.DiskAsync("one", TestContext.Current.CancellationToken))!.Shared;
        var below = HostFiles.AllocatedBytes(_files.MemoryBase);
        File.Delete(_files.MemoryBase);

        below.ShouldBeGreaterThan(0);
        (await instances.DiskAsync("one", TestContext.Current.CancellationToken))!.Shared.ShouldBe(shared - below);
    }

    [Fact]
    public async Task A_clone_of_one_with_pages_has_all_that_they_need()
    {
        InstanceStore.WriteConfig(_files, _config);
        InstanceStore.WriteOrigin(_files.Origin, new InstanceOrigin { Source = "golden", ClonedAt = DateTimeOffset.UnixEpoch, NodeName = "openshell", Identity = "mine" });
        await PagesAsync(record => record with { Identity = "mine" });
        await new LocalInstances(_options).CloneAsync("one", "two", TestContext.Current.CancellationToken);

        // Whatever becomes of the source.
        foreach (var path in new[] { _files.MemoryBase, new Snapshot(_files).Pages, new Snapshot(_files).Machine })
            File.Delete(path);
        var files = InstanceFiles.For(_options.Directories, InstanceName.Parse("two"));
        (await new Snapshot(files).VerifyAsync(null, TestContext.Current.CancellationToken)).ShouldBeEmpty();
        var config = InstanceDefaults.Fill(new InstanceStore(_options.Directories).ReadConfig(InstanceName.Parse("two")), _host);
        var finder = new SnapshotFinder(_options, files, config, _host);
        finder.Find(BootPlanner.Plan(config, _host, Made.Images, files), Made.Images, "aaaa", null).ShouldNotBeNull().Memory.ShouldBe(new GuestMemory(MemorySharing.Private, files.MemoryBase));
    }

    private async Task PagesAsync(Func<SnapshotRecord, SnapshotRecord>? change = null)
    {
        var golden = Path.Combine(_root.FullName, "golden.img");
        await File.WriteAllBytesAsync(golden, new byte[1 << 16], TestContext.Current.CancellationToken);
        Libc.Link(golden, _files.MemoryBase).ShouldBe(0);
        await SuspendAsync();
        await File.WriteAllBytesAsync(new Snapshot(_files).Pages, new byte[1 << 16], TestContext.Current.CancellationToken);
        var record = new Snapshot(_files).Read() with
        {
            Pages = await SavedFile.MakeAsync(_files.Snapshot, Snapshot.PagesName, TestContext.Current.CancellationToken),
            Base = await SavedFile.MakeAsync(_files.Root, Path.GetFileName(_files.MemoryBase), TestContext.Current.CancellationToken),
        };
        Snapshot.Write(_files.Snapshot, change?.Invoke(record) ?? record);
    }

    [Fact]
    public async Task What_an_interrupted_save_left_is_removed_and_counted_until_then()
    {
        await SuspendAsync();
        var snapshot = new Snapshot(_files);
        foreach (var folder in new[] { snapshot.Aside, snapshot.Folder + ".used" })
        {
            Directory.CreateDirectory(folder);
            await File.WriteAllBytesAsync(Path.Combine(folder, Snapshot.MachineName), [.. Enumerable.Repeat((byte)1, 8192)], TestContext.Current.CancellationToken);
        }

        snapshot.RemainsBytes.ShouldBe(2 * 8192);
        snapshot.RemoveRemains();
        snapshot.RemainsBytes.ShouldBe(0);
        Directory.EnumerateDirectories(_files.Root).ShouldBe([snapshot.Folder]);
        Find(Plan()).Choice.ShouldNotBeNull();
    }

    private static void Flip(string path, int bit)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Seek(bit / 8, SeekOrigin.Begin);
        var value = file.ReadByte();
        file.Seek(bit / 8, SeekOrigin.Begin);
        file.WriteByte((byte)(value ^ (1 << (bit % 8))));
    }

    private BootPlan Plan() => BootPlanner.Plan(_config, _host, Made.Images, _files);

    private (ResumeChoice? Choice, IReadOnlyList<string> Notes) Find(BootPlan plan, HostFacts? host = null, string qemu = "aaaa")
    {
        var finder = new SnapshotFinder(_options, _files, _config, host ?? _host);
        return (finder.Find(plan, Made.Images, qemu, null), finder.Notes);
    }

    private void Refused(BootPlan plan, string reason, HostFacts? host = null, string qemu = "aaaa")
    {
        var (choice, notes) = Find(plan, host, qemu);
        choice.ShouldBeNull();
        notes.ShouldHaveSingleItem().ShouldContain(reason);
    }

    private async Task SuspendAsync(Func<SnapshotRecord, SnapshotRecord>? change = null)
    {
        if (!File.Exists(_files.StateDisk))
        {
            var bottom = Path.Combine(_root.FullName, "bottom.img");
            await File.WriteAllBytesAsync(bottom, new byte[1 << 16], TestContext.Current.CancellationToken);
            var below = _files.BaseDisk("12345678", DiskFormat.Qcow2);
            Qcow2Overlay.Create(below, bottom, backingIsRaw: true, 1 << 30);
            Qcow2Overlay.Create(_files.StateDisk, Path.GetFileName(below), backingIsRaw: false, 1 << 30);
            DiskGeneration.Advance(_files);
        }

        Directory.CreateDirectory(_files.Snapshot);
        await File.WriteAllBytesAsync(new Snapshot(_files).Machine, new byte[100_000], TestContext.Current.CancellationToken);
        var record = new SnapshotRecord
        {
            Format = SnapshotRecord.CurrentFormat,
            Machine = MachineIdentity.Of(Plan(), _host, "aaaa", Made.Images.Key),
            NamesMemory = false,
            Disk = DiskState.Of(_files),
            Machinery = await SavedFile.MakeAsync(_files.Snapshot, Snapshot.MachineName, TestContext.Current.CancellationToken),
            MadeAt = DateTimeOffset.UnixEpoch,
        };
        Snapshot.Write(_files.Snapshot, change?.Invoke(record) ?? record);
    }

    private async Task<string> BakeAsync()
    {
        var key = GoldenKey.Of(_config, MachineIdentity.Of(Plan(), _host, "aaaa", Made.Images.Key), null);
        var files = new GoldenStore(_options.Directories).Next(key.Hash());
        Directory.CreateDirectory(files.Folder);
        var saved = new List<SavedFile>();
        foreach (var path in new[] { files.Memory, files.Devices, files.Disk })
        {
            await File.WriteAllBytesAsync(path, new byte[4096], TestContext.Current.CancellationToken);
            saved.Add(await SavedFile.MakeAsync(files.Folder, Path.GetFileName(path), TestContext.Current.CancellationToken));
        }

        GoldenStore.Write(files, new GoldenRecord { Key = key, MadeAt = DateTimeOffset.UnixEpoch, NodeName = "openshell", Files = saved });
        return key.Hash();
    }
}
