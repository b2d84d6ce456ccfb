using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Disks;

/// <summary>Disks that stand on many others, as they come to when an instance is cloned and written to again and again.</summary>
public sealed class DiskLayersTests : IDisposable
{
    private const long Size = 8 << 20;

    private readonly TestFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private LocalInstances Instances => new(new InstancesOptions { Directories = _folder.Directories });

    private DiskLineage Lineage => new(new InstanceStore(_folder.Directories));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void However_long_a_chain_is_it_is_followed_to_its_end_and_nothing_of_it_is_removed()
    {
        var files = Make("dev", bases: 70);

        DiskImage.Chain(files.StateDisk).Count.ShouldBe(71);
        Lineage.RemoveUnused(files);

        DiskLineage.Bases(files).Count().ShouldBe(70);
        Lineage.ClonesOf(files).ShouldBeEmpty();
    }

    [Fact]
    public async Task After_many_rounds_of_cloning_and_deleting_compacting_keeps_the_data_and_merges_the_bases()
    {
        var files = Make("dev", bases: 70);
        await WriteAsync(Base(files, 0), 0, 1);
        await WriteAsync(Base(files, 35), 1, 2);
        await WriteAsync(files.StateDisk, 2, 3);
        var content = await ContentAsync(files);

        await Instances.CompactAsync("dev", Cancellation);

        (await ContentAsync(files)).ShouldBe(content);
        DiskImage.Chain(files.StateDisk).ShouldBe([files.StateDisk]);
        DiskLineage.Bases(files).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_base_that_a_clone_stands_on_stays_and_those_above_it_are_merged()
    {
        var files = Make("dev", bases: 6);
        await WriteAsync(Base(files, 1), 0, 1);
        await WriteAsync(Base(files, 2), 1, 2);
        await WriteAsync(Base(files, 4), 0, 4);
        await WriteAsync(files.StateDisk, 2, 3);
        var clone = Make("job", bases: 0, below: "../dev/base.2.qcow2");
        var (content, cloned) = (await ContentAsync(files), await ContentAsync(clone));

        await Instances.CompactAsync("dev", Cancellation);

        (await ContentAsync(files)).ShouldBe(content);
        (await ContentAsync(clone)).ShouldBe(cloned);
        DiskImage.Chain(files.StateDisk).ShouldBe([files.StateDisk, Base(files, 2), Base(files, 1), Base(files, 0)]);
        DiskLineage.Bases(files).Count().ShouldBe(3);
    }

    [Fact]
    public async Task The_disk_of_a_golden_image_stays_below()
    {
        var golden = _folder.File("golden.qcow2");
        await RunAsync(RealTools.QemuImg, "create", "-q", "-f", "qcow2", golden, Size.ToString(CultureInfo.InvariantCulture));
        await WriteAsync(golden, 0, 1);
        var before = SHA256.HashData(await File.ReadAllBytesAsync(golden, Cancellation));
        var files = Make("dev", bases: 3, lowest: golden);
        await WriteAsync(Base(files, 0), 1, 2);
        await WriteAsync(Base(files, 2), 2, 3);
        var content = await ContentAsync(files);

        await Instances.CompactAsync("dev", Cancellation);

        (await ContentAsync(files)).ShouldBe(content);
        DiskImage.Chain(files.StateDisk).ShouldBe([files.StateDisk, golden]);
        DiskLineage.Bases(files).ShouldBeEmpty();
        SHA256.HashData(await File.ReadAllBytesAsync(golden, Cancellation)).ShouldBe(before);
    }

    [Fact]
    public async Task A_clone_that_would_make_the_chain_too_long_is_refused_until_it_is_merged()
    {
        var files = Make("dev", bases: ThinDisk.MaxLayers - 1);
        await WriteAsync(files.StateDisk, 2, 3);
        var content = await ContentAsync(files);

        var fault = (await Should.ThrowAsync<FaultException>(() => Instances.CloneAsync("dev", "job", Cancellation))).Faults[0];

        fault.Code.ShouldBe("disk.too-many-layers");
        fault.Remedy.ShouldContain("'gateway disk compact --name dev'");
        DiskLineage.Bases(files).Count().ShouldBe(ThinDisk.MaxLayers - 1);
        (await Instances.ListAsync(Cancellation)).ShouldHaveSingleItem();

        await Instances.CompactAsync("dev", Cancellation);
        await Instances.CloneAsync("dev", "job", Cancellation);
        (await ContentAsync(new InstanceStore(_folder.Directories).Files(InstanceName.Parse("job")))).ShouldBe(content);
    }

    [Fact]
    public void A_disk_that_stands_on_itself_is_told_and_nothing_is_removed_for_it()
    {
        var files = Make("dev", bases: 1);
        var other = Make("other", bases: 0, below: "a.qcow2");
        Qcow2Overlay.Create(Path.Combine(other.Root, "a.qcow2"), "b.qcow2", backingIsRaw: false, Size);
        Qcow2Overlay.Create(Path.Combine(other.Root, "b.qcow2"), "a.qcow2", backingIsRaw: false, Size);

        Should.Throw<FaultException>(() => DiskImage.Chain(other.StateDisk)).Faults[0].Code.ShouldBe("disk.unreadable");
        File.Delete(files.StateDisk);
        Lineage.RemoveUnused(files);
        DiskLineage.Bases(files).Count().ShouldBe(1);
        Lineage.ClonesOf(files).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task While_it_cannot_be_told_what_another_disk_stands_on_no_base_is_removed(bool missing)
    {
        var files = Make("dev", bases: 2);
        var other = Make("other", bases: 1, lowest: "../dev/base.0.qcow2");
        if (missing)
            File.Delete(Base(other, 0));
        else
            await File.WriteAllTextAsync(Base(other, 0), "damaged", Cancellation);
        var before = File.GetLastWriteTimeUtc(files.StateDisk);

        var fault = (await Should.ThrowAsync<FaultException>(() => Instances.CompactAsync("dev", Cancellation))).Faults[0];

        fault.Code.ShouldBe("disk.lineage-unknown");
        fault.What.ShouldContain(Base(other, 0));
        File.GetLastWriteTimeUtc(files.StateDisk).ShouldBe(before);
        await Instances.ResetAsync("dev", Cancellation);
        DiskLineage.Bases(files).Count().ShouldBe(2);
    }

    [Fact]
    public void A_data_folder_that_is_written_in_a_roundabout_way_hides_no_clone()
    {
        var files = Make("dev", bases: 1);
        Make("job", bases: 0, below: "../dev/base.0.qcow2");
        var roundabout = _folder.Directories with { Data = _folder.Path + "//x/.." };
        Directory.CreateDirectory(_folder.File("x"));
        var store = new InstanceStore(roundabout);
        var same = store.Files(InstanceName.Parse("dev"));

        new DiskLineage(store).ClonesOf(same).ShouldBe(["job"]);
        File.Delete(files.StateDisk);
        new DiskLineage(store).RemoveUnused(same);
        DiskLineage.Bases(files).Count().ShouldBe(1);
    }

    /// <summary>An instance whose disk stands on so many bases of its own, or on something else.</summary>
    private InstanceFiles Make(string name, int bases, string? lowest = null, string? below = null)
    {
        var files = _folder.Instance(name);
        InstanceStore.WriteConfig(files, new InstanceConfig { Name = name, MemoryMib = 2048 });
        for (var number = 0; number < bases; number++)
            Create(Base(files, number), number == 0 ? lowest : $"base.{number - 1}.qcow2");
        Create(files.StateDisk, below ?? (bases > 0 ? $"base.{bases - 1}.qcow2" : lowest));
        return files;
    }

    private static void Create(string path, string? below)
    {
        if (below is not null)
        {
            Qcow2Overlay.Create(path, below, backingIsRaw: false, Size);
            return;
        }

        using var process = Process.Start(RealTools.QemuImg, ["create", "-q", "-f", "qcow2", path, Size.ToString(CultureInfo.InvariantCulture)]);
        process.WaitForExit();
        process.ExitCode.ShouldBe(0);
    }

    private static string Base(InstanceFiles files, int number) => Path.Combine(files.Root, $"base.{number}.qcow2");

    /// <summary>Writes a MiB of one value.</summary>
    private static Task WriteAsync(string disk, int mebibyte, byte value) =>
        RunAsync(Path.Combine(Path.GetDirectoryName(RealTools.QemuImg)!, "qemu-io"), "-f", "qcow2", "-c", $"write -P {value} {mebibyte}M 1M", disk);

    /// <summary>The disk as the guest sees it.</summary>
    private async Task<string> ContentAsync(InstanceFiles files)
    {
        var copy = _folder.File("content");
        await RunAsync(RealTools.QemuImg, "convert", "-f", "qcow2", "-O", "raw", files.StateDisk, copy);
        return Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(copy, Cancellation)));
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = await process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        process.ExitCode.ShouldBe(0, $"{program} {string.Join(' ', arguments)}: {output}");
    }
}
