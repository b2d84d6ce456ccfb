using System.Formats.Tar;
using System.Globalization;
using System.Text;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Images.Layers;

/// <summary>Writes a tree as one tar: each name once, folders before what is in them, in the order of names, so that equal trees give equal bytes.</summary>
internal static class LayerTar
{
    private const int NameLength = 100;

    /// <summary>What fits into the seven, or eleven, octal digits of a header.</summary>
    private const long LargestOwner = (1L << 21) - 1, LargestSize = (1L << 33) - 1;

    /// <summary>Writes it; reports bytes of contents.</summary>
    public static async Task WriteAsync(LayerTree tree, Stream output, Action<long> onBytes, CancellationToken cancellationToken)
    {
        await using var tar = new TarWriter(output, TarEntryFormat.Ustar, leaveOpen: true);
        var first = new Dictionary<Inode, string>(ReferenceEqualityComparer.Instance);
        var written = 0L;
        await WriteAsync(tree.Root, "./").ConfigureAwait(false);

        async Task WriteAsync(LayerNode node, string path)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var linked = node.Inode.IsFolder || first.TryAdd(node.Inode, path) ? null : first[node.Inode];
            await EntryAsync(tar, output, node.Inode, path, linked, cancellationToken).ConfigureAwait(false);
            if (linked is null)
                onBytes(written += node.Inode.Length);
            foreach (var (name, child) in node.Children)
                await WriteAsync(child, path == "./" ? Named(name, child) : path + Named(name, child)).ConfigureAwait(false);
        }
    }

    private static string Named(string name, LayerNode node) => node.Inode.IsFolder ? name + "/" : name;

    private static async Task EntryAsync(TarWriter tar, Stream output, Inode inode, string path, string? linked, CancellationToken cancellationToken)
    {
        var records = new List<(string Name, byte[] Value)>();
        var target = linked ?? inode.Target;
        var entry = new UstarTarEntry(linked is null ? inode.Type : TarEntryType.HardLink, Short("path", path))
        {
            Mode = (UnixFileMode)inode.Mode,
            Uid = Small("uid", inode.Uid),
            Gid = Small("gid", inode.Gid),
            ModificationTime = Whole(inode.Modified),
        };
        if (entry.EntryType is TarEntryType.HardLink or TarEntryType.SymbolicLink)
            entry.LinkName = Short("linkpath", target);
        if (entry.EntryType is TarEntryType.CharacterDevice or TarEntryType.BlockDevice)
            (entry.DeviceMajor, entry.DeviceMinor) = (inode.DeviceMajor, inode.DeviceMinor);
        if (linked is null)
            records.AddRange(PaxRecords.AsText(inode.Attributes));
        if (inode.Length > LargestSize)
            throw new InvalidDataException($"{path} has {inode.Length} bytes; a base image's files may have {LargestSize}");

        // Directly before the entry: the writer of .NET keeps nothing back, and has no way to say bytes.
        await output.WriteAsync(PaxRecords.Header(records.OrderBy(r => r.Name, StringComparer.Ordinal)), cancellationToken).ConfigureAwait(false);
        await using var content = linked is null && inode.File is { } file ? new PartOfFile(file, inode.At, inode.Length) : null;
        if (content is not null)
            entry.DataStream = content;
        await tar.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);

        string Short(string record, string text)
        {
            if (Encoding.UTF8.GetByteCount(text) <= NameLength && Ascii.IsValid(text))
                return text;
            records.Add((record, Encoding.UTF8.GetBytes(text)));

            // Readers that know pax do not look at it; the others have something of the name.
            var plain = new string([.. text.Select(c => char.IsAscii(c) ? c : '_')]);
            return plain.Length <= NameLength ? plain : plain[..(NameLength - 1)] + (text.EndsWith('/') ? "/" : "~");
        }

        int Small(string record, int id)
        {
            if (id <= LargestOwner)
                return id;
            records.Add((record, Encoding.ASCII.GetBytes(id.ToString(CultureInfo.InvariantCulture))));
            return 0;
        }

        DateTimeOffset Whole(DateTimeOffset time)
        {
            var ticks = (time - DateTimeOffset.UnixEpoch).Ticks;
            if (ticks >= 0 && ticks % TimeSpan.TicksPerSecond == 0 && ticks / TimeSpan.TicksPerSecond <= LargestSize)
                return time;
            var seconds = (decimal)ticks / TimeSpan.TicksPerSecond;
            records.Add(("mtime", Encoding.ASCII.GetBytes(seconds.ToString("0.#######", CultureInfo.InvariantCulture))));
            return ticks < 0 ? DateTimeOffset.UnixEpoch : DateTimeOffset.FromUnixTimeSeconds((long)seconds);
        }
    }
}
