using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.State;

namespace OpenShell.Vm.Guest.Tests.Boot;

public sealed class FileSystemSignatureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Image => _folder.File("image");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_real_squashfs_is_told()
    {
        Command.Run("mksquashfs", AppContext.BaseDirectory + "xunit.v3.core.dll", Image, "-quiet", "-no-progress").Code.ShouldBe(0);
        FileSystemSignature.Identify(FileSystemSignature.ReadStart(Image)).ShouldBe("squashfs");
    }

    [Fact]
    public void A_real_ext4_is_told_with_its_label_and_that_it_is_clean()
    {
        MakeExt4("openshell-state");
        FileSystemSignature.Identify(FileSystemSignature.ReadStart(Image)).ShouldBe("ext4");
        Ext4Superblock.Read(FileSystemSignature.ReadStart(Image)).ShouldBe(new Ext4Superblock("openshell-state", NeedsCheck: false, Size: 16 << 20));
    }

    [Fact]
    public void An_ext4_that_was_not_unmounted_needs_a_check()
    {
        MakeExt4("openshell-state");
        Command.Run("debugfs", "-w", "-R", "feature needs_recovery", Image).Code.ShouldBe(0);
        Ext4Superblock.Read(FileSystemSignature.ReadStart(Image))!.NeedsCheck.ShouldBeTrue();
    }

    [Fact]
    public void An_ext4_with_errors_needs_a_check()
    {
        MakeExt4("openshell-state");
        Command.Run("debugfs", "-w", "-R", "set_super_value state 2", Image).Code.ShouldBe(0);
        Ext4Superblock.Read(FileSystemSignature.ReadStart(Image))!.NeedsCheck.ShouldBeTrue();
    }

    [Fact]
    public void An_empty_or_short_device_is_nothing()
    {
        File.WriteAllBytes(Image, new byte[100]);
        FileSystemSignature.Identify(FileSystemSignature.ReadStart(Image)).ShouldBeNull();
        Ext4Superblock.Read(FileSystemSignature.ReadStart(Image)).ShouldBeNull();
        File.WriteAllBytes(Image, new byte[1 << 20]);
        FileSystemSignature.Identify(FileSystemSignature.ReadStart(Image)).ShouldBeNull();
    }

    [Fact]
    public void What_formats_the_state_disk_is_what_the_guest_takes_for_its_own()
    {
        // The very arguments of StateDisk, on a sparse file: the real mke2fs must know all of them.
        using (var file = File.Create(Image))
            file.SetLength(1L << 30);
        Command.Run("mke2fs", [.. StateDisk.FormatArguments, Image]).Code.ShouldBe(0);
        Ext4Superblock.Read(FileSystemSignature.ReadStart(Image)).ShouldBe(new Ext4Superblock("openshell-state", NeedsCheck: false, Size: 1L << 30));
        Command.Run("e2fsck", "-fn", Image).Code.ShouldBe(0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65600)]
    [InlineData((2 << 20) - 1)]
    [InlineData((64 << 20) - 1)]
    public void A_single_byte_where_signatures_live_makes_a_device_not_blank(long at)
    {
        using (var file = File.Create(Image))
            file.SetLength(64 << 20);
        FileSystemSignature.IsBlank(Image).ShouldBeTrue();
        using (var file = File.OpenWrite(Image))
        {
            file.Position = at;
            file.WriteByte(1);
        }

        FileSystemSignature.IsBlank(Image).ShouldBeFalse();
    }

    private void MakeExt4(string label)
    {
        using (var file = File.Create(Image))
            file.SetLength(16 << 20);
        Command.Run("mke2fs", "-q", "-t", "ext4", "-L", label, Image).Code.ShouldBe(0);
    }
}
