using System.Globalization;
using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.Guest.State;

/// <summary>
/// Checks and repairs the file system of the state disk with e2fsck(8), from what is always safe to what may cost files. What it can give no place to, e2fsck puts into <c>lost+found</c>.
/// </summary>
/// <param name="tool">Runs it.</param>
/// <param name="label">The label of the file system that is ours.</param>
internal sealed class Ext4Repair(Tool tool, string label)
{
    // Minutes: a check of a large, damaged disk on an emulated processor.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>How e2fsck ends the sentence about something that it put right.</summary>
    private static readonly string[] Corrections = ["FIXED", "CLEARED", "SALVAGED", "CONNECTED", "TRUNCATED", "RELOCATED", "CREATED"];

    /// <summary>What it says of a repair is kept; the last part of it, when it is long.</summary>
    private const int Said = 64 << 10;

    /// <summary>Of what it says when it fails, the sentence that matters comes last.</summary>
    private const int Told = 600;

    /// <summary>mke2fs makes blocks of 4 KiB on every disk of 512 MiB and more; a group has as many blocks as one block has bits.</summary>
    private const int BlockSize = 4096, GroupBlocks = 8 * BlockSize;

    /// <summary>Looks after a file system that was not unmounted cleanly, or has errors.</summary>
    /// <exception cref="GuestFaultException">It is damaged beyond repair.</exception>
    public async Task<RepairResult> CheckAsync(string device)
    {
        var gentle = await RunAsync("-p", device).ConfigureAwait(false);

        // e2fsck(8): 0 no errors, 1 corrected, 2 corrected and reboot (only if it was mounted); 4 and more: left as they are.
        if (gentle.Code is 0 or 1 or 2)
            return Gentle(gentle);
        return await RepairAsync(device, gentle).ConfigureAwait(false);
    }

    /// <summary>Repairs whatever it takes: by its own superblock, and where that is of no use by each of the copies that ext4 keeps of it.</summary>
    /// <param name="device">The disk, not mounted.</param>
    /// <param name="before">What was tried before; <see langword="null"/>: nothing.</param>
    /// <exception cref="GuestFaultException">It is damaged beyond repair.</exception>
    public async Task<RepairResult> RepairAsync(string device, ToolResult? before = null)
    {
        var last = Ext4Superblock.Read(FileSystemSignature.ReadStart(device)) is { } own && own.Label == label ? await RunAsync("-fy", device).ConfigureAwait(false) : before;
        if (last is { Code: 0 } && before is null)
            return new RepairResult("checked", null, MayLackFiles: false);
        if (last is { Code: 0 or 1 or 2 })
            return new RepairResult("repaired", last.Output, MayLackFiles: true);
        foreach (var group in CopiesOf(device).ToArray())
        {
            last = await RunAsync("-fy", "-b", ((long)group * GroupBlocks).ToString(CultureInfo.InvariantCulture), "-B", BlockSize.ToString(CultureInfo.InvariantCulture), device).ConfigureAwait(false);
            if (last.Code is 0 or 1 or 2)
                return new RepairResult("repaired by a copy of its superblock", last.Output, MayLackFiles: true);
        }

        throw new GuestFaultException(
            "guest.state-disk-damaged",
            $"the file system on the state disk could not be repaired: {(last is null ? "no superblock of it is left" : last with { Output = last.Output[^Math.Min(last.Output.Length, Told)..] })}.",
            "The disk is as it was found, but for what e2fsck could put right. Put a copy of it back; or begin anew with 'gateway reset', which discards what is on it.");
    }

    /// <summary>Whether a device that does not begin as a file system of ours holds one all the same: nothing may be put over it.</summary>
    public bool HasCopy(string device) => CopiesOf(device).Any();

    /// <summary>The groups that hold a copy of the superblock of a file system of ours: 1 and the powers of 3, 5 and 7 (https://docs.kernel.org/filesystems/ext4/blockgroup.html#sparse-super).</summary>
    private IEnumerable<int> CopiesOf(string device)
    {
        using var file = File.OpenHandle(device);
        var groups = FileSystemSignature.DeviceLength(device) / ((long)GroupBlocks * BlockSize);
        var start = new byte[2 * Ext4Superblock.Length];
        foreach (var group in Powers().TakeWhile(group => group <= groups))
        {
            // A copy is at the very start of its group; the first one has room for a boot loader before it.
            Array.Clear(start);
            if (RandomAccess.Read(file, start.AsSpan(Ext4Superblock.Length), group * (long)GroupBlocks * BlockSize) == Ext4Superblock.Length
                && Ext4Superblock.Read(start) is { } copy && copy.Label == label)
                yield return group;
        }
    }

    private static IEnumerable<int> Powers()
    {
        yield return 1;
        var (three, five, seven) = (3L, 5L, 7L);
        while (Math.Min(three, Math.Min(five, seven)) is var next and < int.MaxValue)
        {
            yield return (int)next;
            three = three == next ? three * 3 : three;
            five = five == next ? five * 5 : five;
            seven = seven == next ? seven * 7 : seven;
        }
    }

    private Task<ToolResult> RunAsync(params string[] arguments) => tool.RunAsync("e2fsck", Patience, Said, ["/sbin/e2fsck", .. arguments]);

    private static RepairResult Gentle(ToolResult result)
    {
        var replayed = result.Output.Contains("recovering journal", StringComparison.Ordinal);

        // Numbers that are only brought up to date after a crash, and files that were deleted while they were open, it tells in other words.
        var corrected = Corrections.Any(word => result.Output.Contains(".  " + word, StringComparison.Ordinal) || result.Output.Contains('\n' + word, StringComparison.Ordinal));
        return corrected ? new RepairResult("repaired", result.Output, MayLackFiles: false) : new RepairResult(replayed ? "journal replayed" : "checked", null, MayLackFiles: false);
    }
}

/// <summary>What became of a check.</summary>
/// <param name="Done">For a person: <c>journal replayed</c>, <c>repaired</c>.</param>
/// <param name="Said">What e2fsck said of a repair; <see langword="null"/>: there was nothing to repair.</param>
/// <param name="MayLackFiles">Whether more was done than is always safe: files may be gone, or nameless in <c>lost+found</c>.</param>
internal sealed record RepairResult(string Done, string? Said, bool MayLackFiles);
