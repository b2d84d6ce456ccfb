using System.Diagnostics;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.LoginServices;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;
using OpenShell.Vm.Uninstalling;

namespace OpenShell.Vm.Tests.Disks;

/// <summary>Disks that qemu-img made, on which something is wrong: noticed before a machine is started, told, and left as they are.</summary>
public sealed class DiskDamageTests : IDisposable
{
    private readonly TestFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private LocalInstances Instances => new(new InstancesOptions { Directories = _folder.Directories });

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_disk_that_is_whole_is_fine_new_or_written_to()
    {
        var files = await MakeAsync();
        StateDisk.RequireWhole(files, Stopped);
        await WriteAsync(files.StateDisk, "write -P 1 0 1m", "write -P 2 700m 1m", "write -z 900m 1m", "write -P 3 3g 4k", "discard 0 64k");
        StateDisk.RequireWhole(files, Stopped);
        DiskDamage.MissingBytes(files.StateDisk).ShouldBe(0);
    }

    public static TheoryData<string, string> Damages { get; } = new()
    {
        { "empty", "it is empty" },
        { "garbage", "does not begin as a qcow2 image does" },
        { "header-cut", "is damaged" },
        { "one-cluster", "lies behind its end: it was cut off at 65536 bytes" },
        { "version", "version 9" },
        { "clusters", "does not begin as a qcow2 image does" },
        { "l1-size", "its header contradicts itself" },
        { "l1-offset", "lies behind its end" },
        { "l1-entry", "lies behind its end" },
        { "l1-entry-odd", "the table of its contents is damaged" },
        { "refcounts", "the table of its reference counts lies behind its end" },
        { "corrupt", "marked it as corrupt" },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task Damage_that_the_file_shows_is_listed_told_by_a_start_and_touched_by_nothing_but_a_reset(string damage, string said)
    {
        var files = await MakeAsync();
        await WriteAsync(files.StateDisk, "write -P 1 0 1m");
        Break(files.StateDisk, damage);
        var before = await File.ReadAllBytesAsync(files.StateDisk, Cancellation);

        var status = (await Instances.ListAsync(Cancellation)).ShouldHaveSingleItem();
        status.Phase.ShouldBe(InstancePhase.Broken);
        status.Fault.ShouldNotBeNull().What.ShouldContain(said);
        var fault = (await Should.ThrowAsync<FaultException>(() => Instances.RunAsync(Config, cancellationToken: Cancellation))).Faults.ShouldHaveSingleItem();
        fault.Code.ShouldBe("disk.unreadable");
        fault.What.ShouldContain(files.StateDisk);
        fault.What.ShouldContain(said);
        fault.Remedy.ShouldContain("gateway reset --name test");
        fault.IsUsage.ShouldBeFalse();
        (await Should.ThrowAsync<FaultException>(() => Instances.StartDetachedAsync(Config, ["/bin/false"], cancellationToken: Cancellation))).Faults[0].Code.ShouldBe("disk.unreadable");
        (await File.ReadAllBytesAsync(files.StateDisk, Cancellation)).ShouldBe(before);
        InstanceLock.HolderOf(files).ShouldBeNull();

        await Instances.ResetAsync("test", Cancellation);
        (await Instances.ListAsync(Cancellation)).ShouldHaveSingleItem().Phase.ShouldBe(InstancePhase.Stopped);
        await Instances.DeleteAsync("test", cancellationToken: Cancellation);
    }

    [Fact]
    public async Task Data_that_was_cut_off_is_told_with_how_much_it_is()
    {
        var files = await MakeAsync();
        await WriteAsync(files.StateDisk, "write -P 1 0 600m");
        var whole = new FileInfo(files.StateDisk).Length;
        using (var file = File.OpenWrite(files.StateDisk))
            file.SetLength(whole / 2);
        var fault = Should.Throw<FaultException>(() => StateDisk.RequireWhole(files, null)).Faults[0];
        fault.What.ShouldContain(files.StateDisk);
        fault.What.ShouldContain("cut off");
        new FileInfo(files.StateDisk).Length.ShouldBe(whole / 2);
    }

    [Fact]
    public async Task A_little_less_after_a_loss_of_power_is_the_journals_to_cope_with_and_after_an_orderly_end_damage()
    {
        var files = await MakeAsync();
        await WriteAsync(files.StateDisk, "write -P 1 0 10m");
        using (var file = File.OpenWrite(files.StateDisk))
            file.SetLength(file.Length - (4 << 20));

        DiskDamage.MissingBytes(files.StateDisk).ShouldBe(4 << 20);
        StateDisk.RequireWhole(files, Stopped with { Phase = InstancePhase.Ready });
        StateDisk.RequireWhole(files, null);
        Should.Throw<FaultException>(() => StateDisk.RequireWhole(files, Stopped)).Faults[0].ShouldSatisfyAllConditions(
            f => f.Code.ShouldBe("disk.cut-off"), f => f.What.ShouldContain("4096 KiB of its data lie behind the end"));
    }

    [Fact]
    public async Task A_base_that_is_damaged_is_named_with_what_stands_on_it()
    {
        var files = await MakeAsync();
        var frozen = files.BaseDisk("id", DiskFormat.Qcow2);
        File.Move(files.StateDisk, frozen);
        await QemuImg.Require().CreateOverAsync(files.StateDisk, Path.GetFileName(frozen), DiskFormat.Qcow2, files.VmmLog, Cancellation);
        StateDisk.RequireWhole(files, Stopped);
        Break(frozen, "garbage");

        var fault = Should.Throw<FaultException>(() => StateDisk.RequireWhole(files, Stopped)).Faults[0];
        fault.What.ShouldContain($"The disk {frozen}, on which {files.StateDisk} stands, is damaged");
        await Instances.ResetAsync("test", Cancellation);
        await Instances.DeleteAsync("test", cancellationToken: Cancellation);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_system_that_is_larger_than_its_disk_has_lost_its_end(bool raw)
    {
        var files = await MakeAsync(raw);
        var image = _folder.File("image");
        using (var file = File.Create(image))
            file.SetLength(4L << 30);
        await RunAsync("/sbin/mke2fs", "-q", "-t", "ext4", image);
        await RunAsync(RealTools.QemuImg, "convert", "-f", "raw", "-O", raw ? "raw" : "qcow2", image, files.ExistingStateDisk!);
        StateDisk.RequireWhole(files, Stopped);

        if (raw)
        {
            using var file = File.OpenWrite(files.RawStateDisk);
            file.SetLength(2L << 30);
        }
        else
        {
            await RunAsync(RealTools.QemuImg, "resize", "-q", "-f", "qcow2", "--shrink", files.StateDisk, "2G");
        }

        Should.Throw<FaultException>(() => StateDisk.RequireWhole(files, Stopped)).Faults[0].What.ShouldContain("it has 2048 MiB, and the file system on it 4096: its end is missing");
    }

    [Fact]
    public async Task A_disk_that_names_no_base_any_more_is_told_keeps_no_other_from_anything_and_what_it_may_stand_on_from_being_deleted()
    {
        var files = await MakeAsync();
        var frozen = files.BaseDisk("id", DiskFormat.Qcow2);
        File.Move(files.StateDisk, frozen);
        await QemuImg.Require().CreateOverAsync(files.StateDisk, Path.GetFileName(frozen), DiskFormat.Qcow2, files.VmmLog, Cancellation);
        await MakeOverAsync("clone", frozen);
        await MakeAsync("other");
        EraseBackingName(_folder.Instance("clone").StateDisk);

        var all = await Instances.ListAsync(Cancellation);
        all.Select(status => (status.Name, status.Phase)).ShouldBe([("clone", InstancePhase.Broken), ("other", InstancePhase.Stopped), ("test", InstancePhase.Stopped)]);
        all[0].Fault.ShouldNotBeNull().Code.ShouldBe("disk.unreadable");
        (await Instances.DiskAsync("test", Cancellation)).ShouldNotBeNull().Clones.ShouldBeEmpty();
        (await Instances.DiskAsync("other", Cancellation)).ShouldNotBeNull();
        await Instances.CompactAsync("other", Cancellation);
        await Instances.DeleteAsync("other", cancellationToken: Cancellation);

        foreach (var flatten in (bool[])[false, true])
        {
            var fault = (await Should.ThrowAsync<FaultException>(() => Instances.DeleteAsync("test", flatten, Cancellation))).Faults.ShouldHaveSingleItem();
            fault.Code.ShouldBe("disk.lineage-unknown");
            fault.What.ShouldContain("What the disk of clone stands on cannot be told");
            fault.Remedy.ShouldContain("gateway delete --name clone");
        }

        File.Exists(frozen).ShouldBeTrue();
        InstanceLock.HolderOf(files).ShouldBeNull();
        await Instances.DeleteAsync("clone", cancellationToken: Cancellation);
        await Instances.DeleteAsync("test", cancellationToken: Cancellation);
        (await Instances.ListAsync(Cancellation)).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_instance_whose_sockets_have_paths_that_are_too_long_keeps_no_other_from_anything()
    {
        await MakeAsync();
        var far = await MakeAsync("far");
        var long1 = _folder.File(new string('x', 100));
        Directory.CreateDirectory(long1);
        File.Delete(far.RunLink);
        File.CreateSymbolicLink(far.RunLink, long1);

        (await Instances.ListAsync(Cancellation)).Select(status => (status.Name, status.Fault?.Code)).ShouldBe([("far", "instance.path-too-long"), ("test", null)]);
        (await Instances.DiskAsync("test", Cancellation)).ShouldNotBeNull();
        await Instances.CompactAsync("test", Cancellation);
        await Instances.DeleteAsync("test", cancellationToken: Cancellation);
        new Inventory(_folder.Directories, new LoginService(_folder.Path, _folder.File("xdg"), launchd: false), UserKubeconfig.None).Running().ShouldBeEmpty();
    }

    /// <summary>As when a sector of its file was lost: it reads as zeros.</summary>
    private static void EraseBackingName(string disk)
    {
        using var file = new FileStream(disk, FileMode.Open, FileAccess.ReadWrite);
        var header = new byte[20];
        file.ReadExactly(header);
        file.Position = (long)System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(header.AsSpan(8));
        file.Write(new byte[System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(16))]);
    }

    private async Task MakeOverAsync(string name, string below)
    {
        var files = _folder.Instance(name);
        InstanceStore.WriteConfig(files, Config with { Name = name });
        await QemuImg.Require().CreateOverAsync(files.StateDisk, Path.Combine("..", "test", Path.GetFileName(below)), DiskFormat.Qcow2, files.VmmLog, Cancellation);
    }

    private Task<InstanceFiles> MakeAsync(string name) => MakeAsync(raw: false, name);

    private static InstanceConfig Config { get; } = new() { Name = "test", MemoryMib = 2048 };

    private static InstanceStatus Stopped { get; } = new() { Name = "test", Phase = InstancePhase.Stopped };

    private async Task<InstanceFiles> MakeAsync(bool raw = false, string name = "test")
    {
        var files = _folder.Instance(name);
        InstanceStore.WriteConfig(files, Config with { Name = name });
        await StateDisk.CreateAsync(raw ? DiskFormat.Raw : DiskFormat.Qcow2, 4, Made.Host() with { QemuImg = RealTools.QemuImg }, files, Cancellation);
        return files;
    }

    private static void Break(string disk, string damage)
    {
        using var file = new FileStream(disk, FileMode.Open, FileAccess.ReadWrite);
        switch (damage)
        {
            case "empty":
                file.SetLength(0);
                break;
            case "header-cut":
                file.SetLength(75);
                break;
            case "one-cluster":
                file.SetLength(64 << 10);
                break;
            case "garbage":
                Put(0, [.. Enumerable.Range(0, 4096).Select(i => (byte)(i * 7))]);
                break;
            case "version":
                Put(4, [0, 0, 0, 9]);
                break;
            case "clusters":
                Put(20, [0, 0, 0, 99]);
                break;
            case "l1-size":
                Put(36, [0, 0, 0, 1]);
                break;
            case "l1-offset":
                Put(40, [0, 0, 0, 1, 0, 0, 0, 0]);
                break;
            case "l1-entry" or "l1-entry-odd":
                var header = new byte[48];
                file.ReadExactly(header);
                Put((long)System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(header.AsSpan(40)), damage == "l1-entry" ? [0x80, 0, 0, 1, 0, 0, 0, 0] : [0x80, 0, 0, 0, 0, 0, 0x12, 0]);
                break;
            case "refcounts":
                Put(48, [0, 0, 0, 1, 0, 0, 0, 0]);
                break;
            case "corrupt":
                Put(79, [2]);
                break;
        }

        void Put(long at, byte[] bytes)
        {
            file.Position = at;
            file.Write(bytes);
        }
    }

    /// <summary>As a guest would.</summary>
    private static Task WriteAsync(string disk, params string[] commands) =>
        RunAsync(Path.Combine(Path.GetDirectoryName(RealTools.QemuImg)!, "qemu-io"), ["-f", "qcow2", .. commands.SelectMany(command => new[] { "-c", command }), disk]);

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync(Cancellation);
        var output = await process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}: {output}{await errors}");
    }
}
