using System.Buffers.Binary;
using System.Text;

namespace OpenShell.Vm.Guest.State;

/// <summary>The fields of an ext4 superblock that decide what is done with a state disk. https://docs.kernel.org/filesystems/ext4/globals.html#super-block</summary>
/// <param name="Label">s_volume_name.</param>
/// <param name="NeedsCheck">It was not unmounted cleanly, has errors, or its journal must be replayed.</param>
/// <param name="Size">s_blocks_count, in bytes.</param>
internal sealed record Ext4Superblock(string Label, bool NeedsCheck, long Size)
{
    /// <summary>Of the superblock itself, and of the room that the first one has before it.</summary>
    public const int Length = 1024;

    private const int Offset = Length, BlocksAt = Offset + 0x04, BlockSizeAt = Offset + 0x18, Magic = Offset + 0x38, StateAt = Offset + 0x3A;
    private const int Incompatible = Offset + 0x60, LabelAt = Offset + 0x78, BlocksHighAt = Offset + 0x150;
    private const ushort Clean = 1, Errors = 2;
    private const uint NeedsRecovery = 4;

    // 1 KiB shifted by it: 64 KiB is the largest block that ext4 has.
    private const uint LargestBlock = 6;

    /// <summary>Reads it from the start of a device; <see langword="null"/> when it is not ext4.</summary>
    public static Ext4Superblock? Read(ReadOnlySpan<byte> start)
    {
        if (start.Length < 2 * Offset || BinaryPrimitives.ReadUInt16LittleEndian(start[Magic..]) != 0xEF53)
            return null;
        var state = BinaryPrimitives.ReadUInt16LittleEndian(start[StateAt..]);
        var needsRecovery = (BinaryPrimitives.ReadUInt32LittleEndian(start[Incompatible..]) & NeedsRecovery) != 0;
        return new Ext4Superblock(
            Encoding.ASCII.GetString(start.Slice(LabelAt, 16)).TrimEnd('\0'),
            needsRecovery || (state & Clean) == 0 || (state & Errors) != 0,
            Number(start, BlocksAt) + ((long)Number(start, BlocksHighAt) << 32) << (10 + (int)Math.Min(Number(start, BlockSizeAt), LargestBlock)));
    }

    private static uint Number(ReadOnlySpan<byte> start, int at) => BinaryPrimitives.ReadUInt32LittleEndian(start[at..]);
}
