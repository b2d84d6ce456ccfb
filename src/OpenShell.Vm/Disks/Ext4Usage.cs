using System.Buffers.Binary;

namespace OpenShell.Vm.Disks;

/// <summary>How full the file system on a disk at rest is, by its superblock (https://docs.kernel.org/filesystems/ext4/globals.html#super-block): right after an orderly end, a little late after another.</summary>
internal static class Ext4Usage
{
    private const int At = 1024, Length = 1024;
    private const int Blocks = 0x04, Free = 0x0C, BlockSize = 0x18, Magic = 0x38, BlocksHigh = 0x150, FreeHigh = 0x158;

    /// <summary>Bytes in use; <see langword="null"/>: there is no ext4 on it (yet), or it cannot be read.</summary>
    internal static long? Used(string disk) => Read(disk) is { } it && it.Free <= it.Total ? (it.Total - it.Free) * it.Block : null;

    /// <summary>Bytes that the file system reaches over; <see langword="null"/> as above.</summary>
    internal static long? Size(string disk) => Read(disk) is { } it ? it.Total * it.Block : null;

    private static (long Total, long Free, long Block)? Read(string disk)
    {
        if (DiskImage.Read(disk, At, Length) is not { } superblock || BinaryPrimitives.ReadUInt16LittleEndian(superblock.AsSpan(Magic)) != 0xEF53)
            return null;
        return (Number(Blocks) | ((long)Number(BlocksHigh) << 32), Number(Free) | ((long)Number(FreeHigh) << 32), 1024L << (int)Math.Min(Number(BlockSize), 6));

        uint Number(int at) => BinaryPrimitives.ReadUInt32LittleEndian(superblock.AsSpan(at));
    }
}
