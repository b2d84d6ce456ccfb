using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace OpenShell.Vm.Disks;

/// <summary>
/// Writes an empty qcow2 image that stands on another (https://www.qemu.org/docs/master/interop/qcow2.html), as <c>qemu-img create -o lazy_refcounts=on -b</c> does: in half a
/// millisecond, where starting qemu-img takes forty, a tenth of the start of an instance that goes on from a saved machine. A test compares the two.
/// </summary>
internal static class Qcow2Overlay
{
    private const uint Magic = 0x514649fb; // "QFI\xfb"
    private const int ClusterBits = 16, Cluster = 1 << ClusterBits;
    private const int HeaderLength = 104; // of version 3
    private const int RefcountOrder = 4; // counts of 16 bits
    private const ulong LazyRefcounts = 1; // a compatible feature
    private const uint BackingFormat = 0xe2792aca; // header extension

    // Where things are, by cluster.
    private const int RefcountTable = 1, RefcountBlock = 2, L1Table = 3;

    /// <summary>Writes it; there must be nothing at that path.</summary>
    /// <param name="path">The new image, readable and writable by its owner alone.</param>
    /// <param name="backing">What it stands on, as it is to be written into it: absolute, or relative to the folder of the image; at most 1023 bytes.</param>
    /// <param name="backingIsRaw">Whether that has no format of its own.</param>
    /// <param name="size">Of the disk, in bytes.</param>
    internal static void Create(string path, string backing, bool backingIsRaw, long size)
    {
        var name = Encoding.UTF8.GetBytes(backing);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, 1023, nameof(backing));
        var format = Encoding.ASCII.GetBytes(backingIsRaw ? "raw" : "qcow2");

        // An entry of the first table stands for a table of 8192 clusters.
        const long PerL1Entry = (long)Cluster * (Cluster / 8);
        var l1Entries = (int)((size + PerL1Entry - 1) / PerL1Entry);
        var l1Clusters = ((l1Entries * 8) + Cluster - 1) / Cluster;

        var header = new byte[HeaderLength + 8 + 8 + 8 + name.Length];
        var span = header.AsSpan();
        BinaryPrimitives.WriteUInt32BigEndian(span, Magic);
        BinaryPrimitives.WriteUInt32BigEndian(span[4..], 3);
        BinaryPrimitives.WriteUInt64BigEndian(span[8..], (ulong)(header.Length - name.Length));
        BinaryPrimitives.WriteUInt32BigEndian(span[16..], (uint)name.Length);
        BinaryPrimitives.WriteUInt32BigEndian(span[20..], ClusterBits);
        BinaryPrimitives.WriteUInt64BigEndian(span[24..], (ulong)size);
        BinaryPrimitives.WriteUInt32BigEndian(span[36..], (uint)l1Entries);
        BinaryPrimitives.WriteUInt64BigEndian(span[40..], L1Table * (ulong)Cluster);
        BinaryPrimitives.WriteUInt64BigEndian(span[48..], RefcountTable * (ulong)Cluster);
        BinaryPrimitives.WriteUInt32BigEndian(span[56..], 1);
        BinaryPrimitives.WriteUInt64BigEndian(span[80..], LazyRefcounts);
        BinaryPrimitives.WriteUInt32BigEndian(span[96..], RefcountOrder);
        BinaryPrimitives.WriteUInt32BigEndian(span[100..], HeaderLength);
        BinaryPrimitives.WriteUInt32BigEndian(span[HeaderLength..], BackingFormat);
        BinaryPrimitives.WriteUInt32BigEndian(span[(HeaderLength + 4)..], (uint)format.Length);
        format.CopyTo(span[(HeaderLength + 8)..]);

        // Eight zeros more are the end of the extensions; the name comes behind them.
        name.CopyTo(span[(header.Length - name.Length)..]);

        var table = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(table, RefcountBlock * (ulong)Cluster);
        var counts = new byte[(L1Table + l1Clusters) * 2];
        for (var at = 0; at < counts.Length; at += 2)
            BinaryPrimitives.WriteUInt16BigEndian(counts.AsSpan(at), 1);

        using var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Instances.AtomicFile.OwnerOnly, BufferSize = 0 });
        Write(stream.SafeFileHandle, header, 0);
        Write(stream.SafeFileHandle, table, RefcountTable);
        Write(stream.SafeFileHandle, counts, RefcountBlock);
        stream.SetLength((L1Table + l1Clusters) * (long)Cluster);
    }

    private static void Write(SafeFileHandle file, byte[] content, int cluster) => RandomAccess.Write(file, content, cluster * (long)Cluster);
}
