using System.Diagnostics;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Tests.Instances;

/// <summary>What is done with stopped instances, on disks of real qemu-img and file systems of real mke2fs.</summary>
public sealed class LifecycleTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private LocalInstances Instances => new(new InstancesOptions { Directories = _folder.Directories });

    private InstanceFiles Files(string name) => InstanceFiles.For(_folder.Directories, InstanceName.Parse(name));

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_edit_is_validated_and_nothing_is_changed_when_it_is_wrong()
    {
        await MakeAsync("test", disk: false);

        (await Instances.EditAsync("test", config => config with { Vcpus = 1, MemoryMib = 2048, Ports = [new PortForward { HostPort = 0, GuestPort = 80 }] }, Cancellation)).Vcpus.ShouldBe(1);
        var faults = (await Should.ThrowAsync<FaultException>(() => Instances.EditAsync("test", config => config with { Vcpus = 0, MemoryMib = 1, GatewayPort = 70000 }, Cancellation))).Faults;

        faults.Select(f => f.Code).ShouldBe(["instance.vcpus-invalid", "instance.memory-too-small", "network.port-invalid"]);
        var config = (await Instances.ConfigAsync("test", Cancellation)).ShouldNotBeNull();
        (config.Vcpus, config.MemoryMib, config.Ports.Count).ShouldBe((1, 2048, 1));
    }

    [Fact]
    public async Task A_reset_wipes_the_state_and_keeps_the_configuration()
    {
        var files = await MakeAsync("test");
        await Instances.EditAsync("test", config => config with { Vcpus = 1 }, Cancellation);
        InstanceStore.WriteStatus(files, Ended("test"));

        await Instances.ResetAsync("test", Cancellation);

        files.ExistingStateDisk.ShouldBeNull();
        (await Instances.ConfigAsync("test", Cancellation)).ShouldNotBeNull().Vcpus.ShouldBe(1);
        (await Instances.FindAsync("test", Cancellation)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Stopped);
    }

    [Fact]
    public async Task A_clone_has_the_data_and_a_name_ports_and_identity_of_its_own()
    {
        var source = await MakeAsync("source");
        InstanceStore.WriteStatus(source, Ended("source") with { Distribution = "upstream" });
        await Instances.EditAsync("source", config => config with { GatewayPort = 31234, Ports = [new PortForward { HostPort = 8080, GuestPort = 80 }] }, Cancellation);
        var before = await ContentAsync("source");
        var allocated = (await Instances.DiskAsync("source", Cancellation)).ShouldNotBeNull().Allocated;

        var clone = await Instances.CloneAsync("source", "twin", Cancellation);

        (clone.Name, clone.Phase, clone.CloneOf).ShouldBe(("twin", InstancePhase.Stopped, "source"));
        (await ContentAsync("twin")).ShouldBe(before);
        (await ContentAsync("source")).ShouldBe(before);
        var config = (await Instances.ConfigAsync("twin", Cancellation)).ShouldNotBeNull();
        (config.Name, config.GatewayPort, config.Ports.Single().HostPort, config.Ports.Single().GuestPort, config.Distribution).ShouldBe(("twin", null, 0, 80, "upstream"));
        var origin = InstanceStore.ReadOrigin(Files("twin")).ShouldNotBeNull();
        (origin.Source, origin.NodeName).ShouldBe(("source", "source"));

        // Thin: neither of the two disks has anything of its own now.
        var use = (await Instances.DiskAsync("twin", Cancellation)).ShouldNotBeNull();
        use.Allocated.ShouldBeLessThan(allocated);
        use.Used.ShouldNotBeNull().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_clone_claims_no_port_and_no_socket_of_its_sources_host()
    {
        await MakeAsync("source", disk: false);
        PortForward[] forwards =
        [
            new() { HostPort = 8080, GuestPort = 80 }, new() { Protocol = PortProtocol.Udp, HostPort = 5353, GuestPort = 53 },
            new() { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = "/run/source.sock", GuestPort = 80 },
        ];
        PortForward[] added = [forwards[0] with { HostPort = 8081 }, forwards[1] with { HostPort = 5354 }, forwards[2] with { HostSocket = "/run/source-too.sock" }];
        await Instances.EditAsync("source", config => config with { Ports = forwards, AddedPorts = added }, Cancellation);

        await Instances.CloneAsync("source", "twin", Cancellation);

        var twin = (await Instances.ConfigAsync("twin", Cancellation)).ShouldNotBeNull();
        foreach (var ports in (IReadOnlyList<PortForward>[])[twin.Ports, twin.AddedPorts])
            ports.Select(p => (p.Protocol, p.HostPort, p.HostSocket, p.GuestPort)).ShouldBe([(PortProtocol.Tcp, 0, null, 80), (PortProtocol.Udp, 0, null, 53)]);
    }

    [Fact]
    public async Task A_clone_of_a_clone_keeps_the_node_of_the_first_and_has_another_identity()
    {
        await MakeAsync("one");
        await Instances.CloneAsync("one", "two", Cancellation);
        await Instances.CloneAsync("two", "three", Cancellation);

        var (two, three) = (InstanceStore.ReadOrigin(Files("two"))!, InstanceStore.ReadOrigin(Files("three"))!);
        (three.Source, three.NodeName).ShouldBe(("two", "one"));
        three.Identity.ShouldNotBe(two.Identity);
    }

    [Fact]
    public async Task Several_clones_of_what_has_not_changed_stand_on_one_base()
    {
        var source = await MakeAsync("source");
        RequireThin();
        foreach (var name in (string[])["a", "b", "c"])
            await Instances.CloneAsync("source", name, Cancellation);
        DiskLineage.Bases(source).Count().ShouldBe(1);

        await WriteAsync(source, 9);
        await Instances.CloneAsync("source", "d", Cancellation);
        DiskLineage.Bases(source).Count().ShouldBe(2);
        (await ContentAsync("d")).ShouldNotBe(await ContentAsync("a"));
    }

    [Fact]
    public async Task What_is_written_to_one_is_not_seen_by_the_other()
    {
        var source = await MakeAsync("source");
        await Instances.CloneAsync("source", "twin", Cancellation);
        var before = await ContentAsync("twin");

        await WriteAsync(source, 7);
        (await ContentAsync("source")).ShouldNotBe(before);
        (await ContentAsync("twin")).ShouldBe(before);
    }

    [Fact]
    public async Task A_source_is_not_deleted_under_its_clones_unless_they_are_made_independent()
    {
        await MakeAsync("source");
        RequireThin();
        await Instances.CloneAsync("source", "b", Cancellation);
        await Instances.CloneAsync("source", "a", Cancellation);
        await Instances.CloneAsync("a", "a-too", Cancellation);
        var content = await ContentAsync("a");

        var fault = (await Should.ThrowAsync<FaultException>(() => Instances.DeleteAsync("source", cancellationToken: Cancellation))).Faults[0];
        fault.Code.ShouldBe("instance.has-clones");
        fault.What.ShouldContain("a, a-too, b");
        fault.Remedy.ShouldContain("--flatten");
        Directory.Exists(Files("source").Root).ShouldBeTrue();

        await Instances.DeleteAsync("source", flatten: true, Cancellation);

        Directory.Exists(Files("source").Root).ShouldBeFalse();
        foreach (var name in (string[])["a", "a-too", "b"])
        {
            (await ContentAsync(name)).ShouldBe(content);
            DiskImage.Chain(Files(name).ExistingStateDisk!).Count.ShouldBe(1, name);
            DiskLineage.Bases(Files(name)).ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_running_clone_keeps_its_source_from_being_deleted_even_so()
    {
        await MakeAsync("source");
        RequireThin();
        await Instances.CloneAsync("source", "twin", Cancellation);
        using var running = InstanceLock.Acquire(Files("twin"), "twin");

        var fault = (await Should.ThrowAsync<FaultException>(() => Instances.DeleteAsync("source", flatten: true, Cancellation))).Faults[0];

        fault.What.ShouldBe("Instance twin is running.");
        fault.Remedy.ShouldContain("gateway stop --name twin");
        Files("source").ExistingStateDisk.ShouldNotBeNull();
    }

    [Fact]
    public async Task Deleting_the_last_clone_leaves_the_source_free()
    {
        await MakeAsync("source");
        await Instances.CloneAsync("source", "twin", Cancellation);
        await Instances.DeleteAsync("twin", cancellationToken: Cancellation);
        await Instances.DeleteAsync("source", cancellationToken: Cancellation);

        (await Instances.ListAsync(Cancellation)).ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(InstanceFiles.InstancesFolder(_folder.Directories)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Resetting_a_source_takes_nothing_from_its_clones()
    {
        await MakeAsync("source");
        await Instances.CloneAsync("source", "twin", Cancellation);
        var content = await ContentAsync("twin");

        await Instances.ResetAsync("source", Cancellation);

        (await ContentAsync("twin")).ShouldBe(content);
        (await Instances.FindAsync("twin", Cancellation)).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Stopped);
    }

    [Fact]
    public async Task A_reset_clone_is_a_clone_no_more()
    {
        await MakeAsync("source");
        await Instances.CloneAsync("source", "twin", Cancellation);

        await Instances.ResetAsync("twin", Cancellation);

        (await Instances.FindAsync("twin", Cancellation)).ShouldNotBeNull().CloneOf.ShouldBeNull();
        await Instances.DeleteAsync("source", cancellationToken: Cancellation);
    }

    [Fact]
    public async Task What_runs_is_not_cloned_and_a_name_is_not_given_twice()
    {
        var source = await MakeAsync("source");
        await MakeAsync("taken", disk: false);

        (await Should.ThrowAsync<FaultException>(() => Instances.CloneAsync("source", "taken", Cancellation))).Faults[0].Code.ShouldBe("instance.exists");
        using (InstanceLock.Acquire(source, "source"))
        {
            var fault = (await Should.ThrowAsync<FaultException>(() => Instances.CloneAsync("source", "twin", Cancellation))).Faults[0];
            fault.Code.ShouldBe("instance.running");
            fault.Remedy.ShouldContain("gateway stop --name source");
        }

        (await Should.ThrowAsync<FaultException>(() => Instances.CloneAsync("nobody", "twin", Cancellation))).Faults[0].Code.ShouldBe("instance.unknown");
        Directory.Exists(Files("twin").Root).ShouldBeFalse();
    }

    [Fact]
    public async Task The_disk_of_a_suspended_instance_is_left_alone_since_its_memory_goes_with_it()
    {
        var source = await MakeAsync("source");
        Directory.CreateDirectory(source.Snapshot);
        var before = File.GetLastWriteTimeUtc(source.StateDisk);

        (await Should.ThrowAsync<FaultException>(() => Instances.CompactAsync("source", Cancellation))).Faults[0].Code.ShouldBe("instance.suspended");
        (await Should.ThrowAsync<FaultException>(() => Instances.ResizeDiskAsync("source", 40, Cancellation))).Faults[0].Code.ShouldBe("instance.suspended", "it goes on with the disk that it had");

        (await Instances.ConfigAsync("source", Cancellation)).ShouldNotBeNull().DiskGib.ShouldBeNull();
        File.GetLastWriteTimeUtc(source.StateDisk).ShouldBe(before);
        InstanceLock.HolderOf(source).ShouldBeNull();
    }

    [Fact]
    public async Task Two_clones_of_one_name_at_one_instant_are_one()
    {
        await MakeAsync("one");
        await MakeAsync("two");

        var results = await Task.WhenAll(((string[])["one", "two"]).Select(source => Task.Run(async () =>
        {
            try
            {
                return (await Instances.CloneAsync(source, "twin", Cancellation)).CloneOf!;
            }
            catch (FaultException e)
            {
                return e.Faults[0].Code;
            }
        })));

        results.Count(r => r == "instance.exists").ShouldBe(1);
        (await Instances.FindAsync("twin", Cancellation)).ShouldNotBeNull().CloneOf.ShouldBe(results.Single(r => r != "instance.exists"));
    }

    [Fact]
    public async Task A_clone_that_was_killed_half_way_was_never_there_and_is_swept()
    {
        await MakeAsync("source");
        var left = Path.Combine(InstanceFiles.InstancesFolder(_folder.Directories), ".making-1-1-0");
        Directory.CreateDirectory(left);

        (await Instances.ListAsync(Cancellation)).Single().Name.ShouldBe("source");
        await Instances.CloneAsync("source", "twin", Cancellation);
        Directory.Exists(left).ShouldBeFalse();
    }

    [Fact]
    public async Task A_raw_disk_is_cloned_too()
    {
        var source = await MakeAsync("source", raw: true);
        await Instances.CloneAsync("source", "twin", Cancellation);

        (await ContentAsync("twin")).ShouldBe(await ContentAsync("source"));
        (await Instances.DiskAsync("source", Cancellation)).ShouldNotBeNull().Used.ShouldNotBeNull().ShouldBeGreaterThan(0);
        source.ExistingStateDisk.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_disk_grows_now_or_at_the_next_start_and_never_shrinks()
    {
        var files = await MakeAsync("test");
        (await Instances.ResizeDiskAsync("test", 5, Cancellation)).ShouldBeTrue();
        (await Instances.DiskAsync("test", Cancellation)).ShouldNotBeNull().Limit.ShouldBe(5L << 30);

        (await Should.ThrowAsync<FaultException>(() => Instances.ResizeDiskAsync("test", 4, Cancellation))).Faults[0].Code.ShouldBe("disk.cannot-shrink");
        (await Should.ThrowAsync<FaultException>(() => Instances.ResizeDiskAsync("test", 20_000, Cancellation))).Faults[0].Code.ShouldBe("instance.disk-size-invalid");

        using (InstanceLock.Acquire(files, "test"))
            (await Instances.ResizeDiskAsync("test", 6, Cancellation)).ShouldBeFalse();
        (await Instances.DiskAsync("test", Cancellation)).ShouldNotBeNull().Limit.ShouldBe(5L << 30);
        (await Instances.ConfigAsync("test", Cancellation)).ShouldNotBeNull().DiskGib.ShouldBe(6);
        (await StateDisk.GrowAsync(files.ExistingStateDisk!, 6, files, Cancellation)).ShouldBeTrue();
        (await StateDisk.GrowAsync(files.ExistingStateDisk!, 6, files, Cancellation)).ShouldBeFalse();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Compacting_gives_zeros_back_and_keeps_the_data(bool raw)
    {
        var files = await MakeAsync("test", raw: raw);
        await WriteAsync(files, 0, megabytes: 64);
        var before = (await Instances.DiskAsync("test", Cancellation)).ShouldNotBeNull();
        var content = await ContentAsync("test");

        var after = await Instances.CompactAsync("test", Cancellation);

        after.Allocated.ShouldBeLessThan(before.Allocated - (32 << 20));
        (await ContentAsync("test")).ShouldBe(content);
    }

    [Fact]
    public async Task Compacting_a_clone_leaves_it_on_its_base()
    {
        await MakeAsync("source");
        RequireThin();
        await Instances.CloneAsync("source", "twin", Cancellation);
        var content = await ContentAsync("twin");

        await Instances.CompactAsync("twin", Cancellation);

        (await ContentAsync("twin")).ShouldBe(content);
        DiskImage.Chain(Files("twin").ExistingStateDisk!).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_missing_disk_is_shown_and_not_replaced_by_an_empty_one()
    {
        var files = await MakeAsync("test");
        InstanceStore.WriteStatus(files, Ended("test"));
        File.Delete(files.StateDisk);

        var status = (await Instances.FindAsync("test", Cancellation)).ShouldNotBeNull();
        status.Phase.ShouldBe(InstancePhase.Broken);
        status.Fault.ShouldNotBeNull().What.ShouldContain("state.qcow2 is missing");
        var fault = (await Should.ThrowAsync<FaultException>(() => Instances.RunAsync(new InstanceConfig { Name = "test", MemoryMib = 2048 }, cancellationToken: Cancellation))).Faults[0];
        fault.Code.ShouldBe("disk.missing");
        fault.Remedy.ShouldContain("gateway reset --name test");
        InstanceLock.HolderOf(files).ShouldBeNull();
    }

    [Fact]
    public async Task A_missing_base_and_a_damaged_disk_are_shown()
    {
        await MakeAsync("source");
        RequireThin();
        await Instances.CloneAsync("source", "twin", Cancellation);
        File.Delete(DiskLineage.Bases(Files("source")).Single());
        await MakeAsync("cut");
        File.WriteAllText(Files("cut").StateDisk, "");

        var list = (await Instances.ListAsync(Cancellation)).ToDictionary(i => i.Name);

        list.Values.ShouldAllBe(i => i.Phase == InstancePhase.Broken);
        list["twin"].Fault.ShouldNotBeNull().What.ShouldContain("on which");
        list["cut"].Fault.ShouldNotBeNull().What.ShouldContain("is damaged");
    }

    [Fact]
    public async Task An_unreadable_folder_is_listed_beside_good_ones()
    {
        await MakeAsync("good", disk: false);
        var shut = await MakeAsync("shut", disk: false);
        File.Delete(shut.Config);
        Directory.CreateDirectory(shut.Config);
        File.WriteAllText(Files("good").Origin, "{");

        var list = await Instances.ListAsync(Cancellation);

        list.Select(i => (i.Name, i.Phase)).ShouldBe([("good", InstancePhase.Broken), ("shut", InstancePhase.Broken)]);
        list[0].Fault.ShouldNotBeNull().What.ShouldContain("origin.json");
    }

    [Fact]
    public async Task A_status_that_was_cut_off_is_shown_and_keeps_nothing_from_being_deleted()
    {
        var files = await MakeAsync("test");
        File.WriteAllText(files.Status, """{"name": "te""");

        (await Instances.FindAsync("test", Cancellation)).ShouldNotBeNull().Fault.ShouldNotBeNull().Remedy.ShouldContain("writes it anew");
        await Instances.DeleteAsync("test", cancellationToken: Cancellation);
        (await Instances.ListAsync(Cancellation)).ShouldBeEmpty();
    }

    /// <summary>Where the file system shares blocks, clones are independent from the start, and nothing stands on anything.</summary>
    private void RequireThin()
    {
        File.WriteAllText(_folder.File("a"), "a");
        if (FileCopies.TryClone(_folder.File("a"), _folder.File("b")))
            Assert.Skip("the file system of the temporary folder shares blocks: clones do not stand on their source here");
    }

    private static InstanceStatus Ended(string name) => new()
    {
        Name = name,
        Phase = InstancePhase.Stopped,
        Stages = [new StageTime(BootStages.Disk, TimeSpan.Zero, TimeSpan.Zero, Protocol.Messages.StageState.Completed, "kept")],
    };

    private async Task<InstanceFiles> MakeAsync(string name, bool disk = true, bool raw = false)
    {
        var files = _folder.Instance(name);
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = name, MemoryMib = 2048 });
        if (!disk)
            return files;
        var host = Made.Host() with { QemuImg = RealTools.QemuImg };
        await StateDisk.CreateAsync(raw ? DiskFormat.Raw : DiskFormat.Qcow2, 4, host, files, Cancellation);

        // A real file system, as the guest would have made it.
        var image = _folder.File("image");
        await using (var file = File.Create(image))
            file.SetLength(4L << 30);
        await RunAsync("/sbin/mke2fs", "-q", "-t", "ext4", "-L", "openshell-state", image);
        await RunAsync(RealTools.QemuImg, "convert", "-n", "-f", "raw", "-O", raw ? "raw" : "qcow2", image, files.ExistingStateDisk!);
        File.Delete(image);
        return files;
    }

    /// <summary>As a guest would: through the disk, beyond the file system's metadata.</summary>
    private static Task<string> WriteAsync(InstanceFiles files, byte value, int megabytes = 1)
    {
        var disk = files.ExistingStateDisk!;
        return RunAsync(Path.Combine(Path.GetDirectoryName(RealTools.QemuImg)!, "qemu-io"), "-f", DiskImage.IsRaw(disk) ? "raw" : "qcow2", "-c", $"write -P {value} 1g {megabytes}M", disk);
    }

    /// <summary>The disk as the guest sees it, as a checksum; what is zeros counts for nothing, however it is written.</summary>
    private async Task<string> ContentAsync(string name)
    {
        var disk = Files(name).ExistingStateDisk!;
        var copy = _folder.File("content");
        await RunAsync(RealTools.QemuImg, "convert", "-f", DiskImage.IsRaw(disk) ? "raw" : "qcow2", "-O", "raw", disk, copy);
        var map = await RunAsync(RealTools.QemuImg, "map", "--output=json", "-f", "raw", copy);
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        using var file = File.OpenHandle(copy);
        using var json = System.Text.Json.JsonDocument.Parse(map);
        var buffer = new byte[64 << 10];
        var blocks = json.RootElement.EnumerateArray().Where(e => e.GetProperty("data").GetBoolean())
            .Select(e => (Start: e.GetProperty("start").GetInt64(), End: e.GetProperty("start").GetInt64() + e.GetProperty("length").GetInt64()))
            .SelectMany(e => Enumerable.Range((int)(e.Start / buffer.Length), (int)((e.End - 1) / buffer.Length - e.Start / buffer.Length) + 1)).Distinct().Order();
        foreach (var block in blocks)
        {
            var read = RandomAccess.Read(file, buffer, (long)block * buffer.Length);
            if (!buffer.AsSpan(0, read).ContainsAnyExcept((byte)0))
                continue;
            hash.AppendData(BitConverter.GetBytes(block));
            hash.AppendData(buffer.AsSpan(0, read));
        }

        File.Delete(copy);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync(Cancellation);
        var output = await process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}: {output}{await errors}");
        return output;
    }
}
