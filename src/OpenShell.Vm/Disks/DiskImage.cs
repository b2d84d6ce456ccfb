using System.Buffers.Binary;
using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Disks;

/// <summary>A disk of an instance at rest: what it is, what it stands on, and a few bytes of it.</summary>
internal static class DiskImage
{
    private const ulong OffsetMask = 0x00fffffffffffe00; // bits 9 to 55 of a table's entry
    private const ulong Compressed = 1UL << 62;

    /// <summary>Its size in bytes, as the guest sees it.</summary>
    /// <exception cref="IOException">It is a qcow2 image by its name, and not by its content.</exception>
    internal static long VirtualSize(string path) => IsRaw(path) ? new FileInfo(path).Length : Header(path).VirtualSize;

    /// <summary>The disk and all that it stands on, from the top; the last may be missing, or damaged (<see cref="IsWhole"/>).</summary>
    /// <exception cref="FaultException">It stands on itself (<c>disk.unreadable</c>).</exception>
    internal static IReadOnlyList<string> Chain(string path)
    {
        var chain = new List<string> { path };
        var visited = new HashSet<string>(StringComparer.Ordinal) { Path.GetFullPath(path) };
        while (File.Exists(chain[^1]) && !IsRaw(chain[^1]) && Backing(chain[^1], Qcow2Header.Read(chain[^1])) is { } below)
        {
            if (!visited.Add(below))
                throw new FaultException(Circular(path, below));
            chain.Add(below);
        }

        return chain;
    }

    /// <summary>Whether a chain was followed to its end: its last is there, and says that it stands on nothing.</summary>
    internal static bool IsWhole(IReadOnlyList<string> chain) => File.Exists(chain[^1]) && (IsRaw(chain[^1]) || Qcow2Header.Read(chain[^1]) is { Backing: null });

    private static Fault Circular(string path, string below) => new()
    {
        Code = "disk.unreadable",
        What = $"The disk {path} is damaged: {below}, on which it stands, stands on itself.",
        Remedy = "Put copies of its files back, or begin anew with 'gateway reset', which discards what the instance had.",
    };

    /// <summary>What it directly stands on, as an absolute path; <see langword="null"/>: nothing.</summary>
    internal static string? BackingOf(string path) =>
        IsRaw(path) ? null : Backing(path, Header(path));

    private static string? Backing(string path, Qcow2Header? header) => header?.Backing is { } name ? Path.GetFullPath(name, Path.GetDirectoryName(path)!) : null;

    /// <summary>Reads from the disk as the guest sees it; what was never written reads as zeros. <see langword="null"/>: not to be read so (compressed, cut off).</summary>
    internal static byte[]? Read(string path, long offset, int length)
    {
        var result = new byte[length];
        if (IsRaw(path))
        {
            using var raw = Qcow2Header.OpenShared(path);
            return RandomAccess.Read(raw, result, offset) == length ? result : null;
        }

        // What is read here (a superblock) never crosses the end of a cluster.
        var header = Header(path);
        using var file = Qcow2Header.OpenShared(path);
        var entriesPerTable = 1L << (header.ClusterBits - 3);
        var cluster = offset >> header.ClusterBits;
        if (Entry(file, header.L1Offset + (cluster / entriesPerTable * 8)) is not { } table)
            return null;
        var entry = (table & OffsetMask) == 0 ? 0 : Entry(file, (long)(table & OffsetMask) + (cluster % entriesPerTable * 8));
        if (entry is null or >= Compressed and < (1UL << 63))
            return null;
        var at = (long)(entry.Value & OffsetMask);
        if (at != 0)
            return RandomAccess.Read(file, result, at + (offset & ((1L << header.ClusterBits) - 1))) == length ? result : null;

        // Bit 0: zeros, whatever lies below.
        return (entry.Value & 1) == 0 && BackingOf(path) is { } below ? Read(below, offset, length) : result;
    }

    private static ulong? Entry(Microsoft.Win32.SafeHandles.SafeFileHandle file, long at)
    {
        Span<byte> bytes = stackalloc byte[8];
        return RandomAccess.Read(file, bytes, at) == 8 ? BinaryPrimitives.ReadUInt64BigEndian(bytes) : null;
    }

    /// <summary>By its name: a guest could write a qcow2 header at the start of a raw disk, and make the host read what it names.</summary>
    internal static bool IsRaw(string path) => path.EndsWith(".img", StringComparison.Ordinal);

    private static Qcow2Header Header(string path) => Qcow2Header.Read(path) ?? throw new IOException($"{path} is no disk image that can be read.");
}
