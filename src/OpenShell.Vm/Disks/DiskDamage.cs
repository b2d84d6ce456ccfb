using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace OpenShell.Vm.Disks;

/// <summary>
/// What is wrong with a disk at rest, as far as its file alone shows it. QEMU reads what lies behind the end of the file as zeros, so that a disk that was cut off starts, and loses its data without a
/// word: it must be noticed before.
/// </summary>
internal static class DiskDamage
{
    private const int Incompatible = 72, HeaderLength = 80; // version 3 begins where 2 ends
    private const int RefcountTableAt = 48, RefcountClustersAt = 56;
    private const ulong Corrupt = 1UL << 1;
    private const ulong OffsetMask = 0x00fffffffffffe00; // bits 9 to 55 of a table's entry
    private const ulong Compressed = 1UL << 62;

    /// <summary>QEMU's own limit (QCOW_MAX_L1_SIZE).</summary>
    private const long LargestL1 = 32 << 20;

    /// <summary>What an image's own header and tables say against it; <see langword="null"/>: nothing. The tables of the second level are not read: this is quick however large the disk is.</summary>
    internal static string? OfTables(string path)
    {
        using var file = Qcow2Header.OpenShared(path);
        var length = RandomAccess.GetLength(file);
        if (length == 0)
            return "it is empty";
        if (DiskImage.IsRaw(path))
            return null;
        if (Qcow2Header.Read(path) is not { } header)
            return "it does not begin as a qcow2 image does";
        var start = new byte[HeaderLength];
        if (RandomAccess.Read(file, start, 0) < HeaderLength && BinaryPrimitives.ReadUInt32BigEndian(start.AsSpan(4)) > 2)
            return "it ends within its header";
        if (BinaryPrimitives.ReadUInt32BigEndian(start.AsSpan(4)) is not (2 or 3) and var version)
            return string.Create(CultureInfo.InvariantCulture, $"its header names version {version}, which there is not");
        if (BinaryPrimitives.ReadUInt32BigEndian(start.AsSpan(4)) == 3 && (BinaryPrimitives.ReadUInt64BigEndian(start.AsSpan(Incompatible)) & Corrupt) != 0)
            return "QEMU found it inconsistent while it ran, and marked it as corrupt";
        return OfTables(file, header, start, length);
    }

    private static string? OfTables(SafeFileHandle file, Qcow2Header header, byte[] start, long length)
    {
        var cluster = 1L << header.ClusterBits;
        var perTable = cluster / 8 * cluster;
        if (header.VirtualSize <= 0 || header.L1Entries < 0 || header.L1Entries * 8L > LargestL1 || header.L1Entries < (header.VirtualSize + perTable - 1) / perTable)
            return "its header contradicts itself";
        if (header.L1Offset <= 0 || header.L1Offset + (header.L1Entries * 8L) > length)
            return Beyond("the table of its contents", length);
        var refcounts = (long)BinaryPrimitives.ReadUInt64BigEndian(start.AsSpan(RefcountTableAt));
        if (refcounts <= 0 || refcounts + (BinaryPrimitives.ReadUInt32BigEndian(start.AsSpan(RefcountClustersAt)) * cluster) > length)
            return Beyond("the table of its reference counts", length);
        foreach (var table in Tables(file, header))
        {
            if (table % cluster != 0)
                return "the table of its contents is damaged";
            if (table + cluster > length)
                return Beyond("a part of the table of its contents", length);
        }

        return null;
    }

    /// <summary>How many bytes of data its tables name that lie behind the end of the file. The tables must be whole.</summary>
    internal static long MissingBytes(string path)
    {
        if (DiskImage.IsRaw(path) || Qcow2Header.Read(path) is not { } header)
            return 0;
        using var file = Qcow2Header.OpenShared(path);
        var length = RandomAccess.GetLength(file);
        var cluster = 1L << header.ClusterBits;
        var missing = 0L;
        var buffer = new byte[cluster];
        foreach (var table in Tables(file, header))
        {
            var read = RandomAccess.Read(file, buffer, table);
            for (var at = 0; at + 8 <= read; at += 8)
            {
                var entry = BinaryPrimitives.ReadUInt64BigEndian(buffer.AsSpan(at));

                // By where it begins: the last cluster may be written in part.
                if ((entry & Compressed) == 0 && (long)(entry & OffsetMask) >= length)
                    missing += cluster;
            }
        }

        return missing;
    }

    private static IEnumerable<long> Tables(SafeFileHandle file, Qcow2Header header)
    {
        var entries = new byte[header.L1Entries * 8];
        var read = RandomAccess.Read(file, entries, header.L1Offset);
        for (var at = 0; at + 8 <= read; at += 8)
        {
            if ((long)(BinaryPrimitives.ReadUInt64BigEndian(entries.AsSpan(at)) & OffsetMask) is > 0 and var table)
                yield return table;
        }
    }

    /// <summary>What the file system on a disk says against it: one that is larger than its disk was on a larger one. All that the disk stands on must be whole.</summary>
    internal static string? OfFileSystem(string path) =>
        DiskImage.VirtualSize(path) is var size && Ext4Usage.Size(path) is { } needed && needed > size
            ? string.Create(CultureInfo.InvariantCulture, $"it has {size >> 20} MiB, and the file system on it {needed >> 20}: its end is missing")
            : null;

    private static string Beyond(string what, long length) => string.Create(CultureInfo.InvariantCulture, $"{what} lies behind its end: it was cut off at {length} bytes");
}
