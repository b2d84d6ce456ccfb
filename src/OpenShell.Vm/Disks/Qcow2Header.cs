using System.Buffers.Binary;
using System.Text;

namespace OpenShell.Vm.Disks;

/// <summary>The fields of a qcow2 header that say what a disk is and what it stands on (https://www.qemu.org/docs/master/interop/qcow2.html).</summary>
/// <param name="VirtualSize">Size in bytes, as the guest sees it.</param>
/// <param name="Backing">The file that it stands on, as it is written there: relative to the folder of the image; <see langword="null"/>: none.</param>
/// <param name="ClusterBits">A cluster has two to this power bytes.</param>
/// <param name="L1Offset">Where the first table of its mapping is.</param>
/// <param name="L1Entries">How long that is.</param>
internal sealed record Qcow2Header(long VirtualSize, string? Backing, int ClusterBits, long L1Offset, int L1Entries)
{
    private const uint Magic = 0x514649fb; // "QFI\xfb"
    private const int Length = 72; // version 2; version 3 only adds to it

    /// <summary>The specification allows no longer name, nor clusters beyond these.</summary>
    private const int MaxBacking = 1023, MinClusterBits = 9, MaxClusterBits = 21;

    /// <summary>Reads it; <see langword="null"/>: it is no qcow2 image, or a damaged one.</summary>
    internal static Qcow2Header? Read(string path)
    {
        using var file = OpenShared(path);
        Span<byte> header = stackalloc byte[Length];
        if (RandomAccess.Read(file, header, 0) < Length || BinaryPrimitives.ReadUInt32BigEndian(header) != Magic)
            return null;
        var backingAt = (long)BinaryPrimitives.ReadUInt64BigEndian(header[8..]);
        var backingLength = BinaryPrimitives.ReadUInt32BigEndian(header[16..]);
        var clusterBits = (int)BinaryPrimitives.ReadUInt32BigEndian(header[20..]);
        if (backingLength > MaxBacking || clusterBits is < MinClusterBits or > MaxClusterBits)
            return null;
        var name = new byte[backingLength];

        // A name with a zero in it is none: what was written there is lost.
        if (backingAt > 0 && (RandomAccess.Read(file, name, backingAt) < name.Length || name.Contains((byte)0)))
            return null;
        return new Qcow2Header(
            (long)BinaryPrimitives.ReadUInt64BigEndian(header[24..]),
            backingAt > 0 ? Encoding.UTF8.GetString(name) : null,
            clusterBits,
            (long)BinaryPrimitives.ReadUInt64BigEndian(header[40..]),
            (int)BinaryPrimitives.ReadUInt32BigEndian(header[36..]));
    }

    // Shared in every way: .NET would otherwise flock it, and a machine may have it open.
    internal static Microsoft.Win32.SafeHandles.SafeFileHandle OpenShared(string path) =>
        File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
}
