using System.Security.Cryptography;
using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.Protocol;

namespace OpenShell.Vm.Guest.Tests.State;

/// <summary>Real file systems with real damage, repaired by the real e2fsck.</summary>
public sealed class Ext4RepairTests : IDisposable
{
    private const int Block = 4096;

    private readonly TemporaryFolder _folder = new();
    private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);

    private string Image => _folder.File("image");

    public void Dispose()
    {
        _reaper.Dispose();
        _folder.Dispose();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_journal_to_replay_is_replayed_and_no_repair()
    {
        Make();
        Command.Run("debugfs", "-w", "-R", "feature needs_recovery", Image).Code.ShouldBe(0);
        var result = await Repair().CheckAsync(Image);
        (result.Done, result.Said, result.MayLackFiles).ShouldBe(("journal replayed", null, false));
        ShouldBeClean();
    }

    [Fact(Timeout = 60_000)]
    public async Task What_is_safe_to_put_right_is_put_right_and_told()
    {
        Make();
        Command.Run("debugfs", "-w", "-R", "set_inode_field /memory links_count 7", Image).Code.ShouldBe(0);
        MarkAsNotClean();
        var result = await Repair().CheckAsync(Image);
        (result.Done, result.MayLackFiles).ShouldBe(("repaired", false));
        result.Said.ShouldNotBeNull().ShouldContain("FIXED");
        Content().ShouldBe("what was kept");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_inode_table_that_is_overwritten_costs_what_was_in_it_and_no_more()
    {
        Make();
        // Block by block from debugfs's own word: the table of group 0, in which the first files are.
        var stats = Command.Run("debugfs", "-R", "imap <12>", Image).Output;
        var block = long.Parse(System.Text.RegularExpressions.Regex.Match(stats, @"located at block (\d+)").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Overwrite(block * Block, Block);
        MarkAsNotClean();
        var result = await Repair().CheckAsync(Image);
        result.Done.ShouldBe("repaired");
        result.MayLackFiles.ShouldBeTrue();
        result.Said.ShouldNotBeNull().ShouldNotBeEmpty();
        ShouldBeClean();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_journal_that_is_garbage_is_made_anew_and_the_files_stay()
    {
        Make();
        Command.Run("debugfs", "-w", "-R", "feature needs_recovery", Image).Code.ShouldBe(0);
        var block = long.Parse(System.Text.RegularExpressions.Regex.Match(Command.Run("debugfs", "-R", "bmap <8> 0", Image).Output, @"(?m)^(\d+)\s*$").Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Overwrite(block * Block, 64 * Block);
        var result = await Repair().CheckAsync(Image);
        result.Done.ShouldBe("repaired");
        Content().ShouldBe("what was kept");
        ShouldBeClean();
    }

    [Theory(Timeout = 60_000)]
    [InlineData(0, Block)]
    [InlineData(1024, 1024)]
    [InlineData(0, 2 << 20)]
    public async Task A_superblock_that_is_gone_is_restored_from_its_copy_and_the_files_stay(long at, int length)
    {
        Make();
        Overwrite(at, length);
        Ext4Superblock.Read(FileSystemSignature.ReadStart(Image)).ShouldBeNull();
        var repair = Repair();
        repair.HasCopy(Image).ShouldBeTrue();
        var result = await repair.RepairAsync(Image);
        result.Done.ShouldBe("repaired by a copy of its superblock");
        result.Said.ShouldNotBeNull().ShouldNotBeEmpty();
        ShouldBeClean();
        Ext4Superblock.Read(FileSystemSignature.ReadStart(Image)).ShouldNotBeNull().Label.ShouldBe(GuestPaths.StateLabel);

        // Inodes lie within the first 2 MiB: what they named is then in no place any more.
        if (length <= Block)
            Content().ShouldBe("what was kept");
    }

    [Fact(Timeout = 60_000)]
    public async Task What_no_copy_is_left_of_is_said_and_touched_no_further()
    {
        Make();
        Overwrite(0, 1 << 20);
        Overwrite(32768L * Block, Block);
        var before = Hash();
        Repair().HasCopy(Image).ShouldBeFalse();
        var fault = (await Should.ThrowAsync<GuestFaultException>(() => Repair().RepairAsync(Image))).Fault;
        fault.Code.ShouldBe("guest.state-disk-damaged");
        fault.Remedy.ShouldContain("gateway reset");
        Hash().ShouldBe(before);
    }

    [Fact]
    public void A_new_disk_and_somebody_elses_have_no_copy()
    {
        using (var file = File.Create(Image))
            file.SetLength(256 << 20);
        Repair().HasCopy(Image).ShouldBeFalse();
        Make("another");
        Repair().HasCopy(Image).ShouldBeFalse();
    }

    private Ext4Repair Repair() => new(new Tool(new ProcessLauncher(_reaper), _folder.File("tools")), GuestPaths.StateLabel);

    private void Make(string label = GuestPaths.StateLabel)
    {
        using (var file = File.Create(Image))
            file.SetLength(256 << 20);
        Command.Run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-L", label, Image).Code.ShouldBe(0);
        File.WriteAllText(_folder.File("memory"), "what was kept");
        Command.Run("debugfs", "-w", "-R", $"write {_folder.File("memory")} memory", Image).Code.ShouldBe(0);
    }

    private void MarkAsNotClean() => Command.Run("debugfs", "-w", "-R", "set_super_value state 0", Image).Code.ShouldBe(0);

    private void Overwrite(long at, int length)
    {
        using var file = File.OpenWrite(Image);
        file.Position = at;
        file.Write([.. Enumerable.Range(0, length).Select(i => (byte)((i * 31) + 7))]);
    }

    private string Hash()
    {
        using var file = File.OpenRead(Image);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private void ShouldBeClean() => Command.Run("e2fsck", "-fn", Image).Code.ShouldBe(0);

    private string Content()
    {
        var copy = _folder.File("copy");
        Command.Run("debugfs", "-R", $"dump /memory {copy}", Image).Code.ShouldBe(0);
        return File.ReadAllText(copy);
    }
}
