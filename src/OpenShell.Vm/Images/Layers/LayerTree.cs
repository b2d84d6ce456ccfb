using System.Formats.Tar;
using System.Text;
using OpenShell.Vm.Images.Registry;

namespace OpenShell.Vm.Images.Layers;

/// <summary>
/// What an image's layers amount to, applied one after the other (https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md). Only in memory: names lead to inodes,
/// and inodes to places in the layers' tars, so that nothing is unpacked, nothing needs root, and no link leads anywhere but within the image.
/// </summary>
/// <param name="image">The image, for messages.</param>
internal sealed class LayerTree(string image)
{
    private const string Whiteout = ".wh.", Opaque = ".wh..wh..opq", WhiteoutMeta = ".wh..wh.";

    // As many as Linux follows (https://man7.org/linux/man-pages/man7/path_resolution.7.html), and as long as its names are.
    private const int LinksFollowed = 40, LongestName = 255, LongestPath = 4095;

    private const int HeaderLength = 512;

    private int _entries;

    /// <summary>The root.</summary>
    public LayerNode Root { get; } = new(Inode.ImpliedFolder(), -1);

    /// <summary>Puts an unpacked layer over what is there.</summary>
    /// <param name="path">Its tar, uncompressed and ours: contents stay in it, extended attributes are taken out.</param>
    /// <param name="layer">Its number, rising.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="Faults.FaultException">It is malformed, would leave the image, or has what a tar of files does not have.</exception>
    public void Apply(string path, int layer, CancellationToken cancellationToken)
    {
        try
        {
            var attributes = PaxRecords.Take(path);
            using var file = File.OpenRead(path);
            using var reader = new TarReader(file);
            while (reader.GetNextEntry() is { } entry)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (++_entries > RegistryLimits.Entries)
                    throw RegistryFaults.TooLarge(image, $"it has more than {RegistryLimits.Entries} files");
                if (entry.EntryType != TarEntryType.GlobalExtendedAttributes)
                    Apply(entry, path, attributes, layer);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or FormatException or ArgumentException or OverflowException)
        {
            throw RegistryFaults.Malformed(image, $"layer {layer + 1} is no tar, or a damaged one ({e.Message.TrimEnd('.')})", e);
        }
    }

    /// <summary>What a path leads to, links followed within the image; <see langword="null"/>: nothing.</summary>
    public LayerNode? Find(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return Walk(parts, path, -1, create: false, clamp: true);
    }

    /// <summary>Takes a name away with all that is in it; returns whether it was there. Links are not followed.</summary>
    public bool Remove(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var here = Root;
        foreach (var part in parts[..^1])
        {
            if (!here.Children.TryGetValue(part, out here!))
                return false;
        }

        return here.Children.Remove(parts[^1]);
    }

    private void Apply(TarEntry entry, string file, IReadOnlyDictionary<long, IReadOnlyDictionary<string, byte[]>> attributes, int layer)
    {
        var parts = Split(entry.Name);
        if (parts.Count == 0)
        {
            if (entry.EntryType != TarEntryType.Directory)
                throw RegistryFaults.Malformed(image, $"'{Printable(entry.Name)}' in layer {layer + 1} takes the place of the root");
            Root.Inode = InodeOf(entry, file, attributes, layer);
            return;
        }

        var name = parts[^1];
        var folders = parts[..^1];
        if (name.StartsWith(Whiteout, StringComparison.Ordinal))
        {
            TakeAway(name, folders, entry.Name, layer);
            return;
        }

        // AUFS keeps hard links of its own in such folders (https://github.com/moby/moby/blob/master/pkg/archive/whiteouts.go).
        if (folders.Any(f => f.StartsWith(WhiteoutMeta, StringComparison.Ordinal)))
            return;

        // The target is looked for first: it may be what stands at this very name.
        var linked = entry.EntryType == TarEntryType.HardLink ? Linked(entry, layer) : null;
        var folder = Walk(folders, entry.Name, layer, create: true)!;
        var inode = linked ?? InodeOf(entry, file, attributes, layer);
        if (folder.Children.TryGetValue(name, out var there) && there.Inode.IsFolder && inode.IsFolder)
            (there.Inode, there.Layer) = (inode, layer);
        else
            folder.Children[name] = new LayerNode(inode, layer);
    }

    private void TakeAway(string name, IReadOnlyList<string> folders, string whole, int layer)
    {
        if (name == Opaque)
        {
            if (Walk(folders, whole, layer, create: false) is { } opaque)
            {
                foreach (var child in opaque.Children.Where(c => c.Value.RemoveBelow(layer)).Select(c => c.Key).ToList())
                    opaque.Children.Remove(child);
            }

            return;
        }

        if (name.StartsWith(WhiteoutMeta, StringComparison.Ordinal))
            return;
        var gone = name[Whiteout.Length..];
        if (gone is "" or "." or "..")
            throw Escapes(whole, layer);

        // What is not there is not there any more.
        if (Walk(folders, whole, layer, create: false) is { } folder && folder.Children.TryGetValue(gone, out var node) && node.RemoveBelow(layer))
            folder.Children.Remove(gone);
    }

    private Inode Linked(TarEntry entry, int layer)
    {
        var parts = Split(entry.LinkName);
        var target = parts.Count == 0 ? null : Walk(parts[..^1], entry.Name, layer, create: false)?.Children.GetValueOrDefault(parts[^1]);
        return target switch
        {
            null => throw RegistryFaults.Malformed(image, $"'{Printable(entry.Name)}' in layer {layer + 1} is a hard link to '{Printable(entry.LinkName)}', which is not there"),
            { Inode.IsFolder: true } => throw RegistryFaults.Malformed(image, $"'{Printable(entry.Name)}' in layer {layer + 1} is a hard link to a folder"),
            _ => target.Inode,
        };
    }

    /// <summary>Goes down a path, links followed within the image; makes the folders that are missing if told to.</summary>
    private LayerNode? Walk(IEnumerable<string> parts, string whole, int layer, bool create, bool clamp = false)
    {
        var reached = new List<LayerNode> { Root };
        var pending = new Stack<string>(parts.Reverse());
        for (var links = 0; pending.TryPop(out var part);)
        {
            if (part is "" or ".")
                continue;
            if (part == "..")
            {
                // Only of links: names have none. A kernel would stay at the root; an image that counts on it is after something.
                if (reached.Count > 1)
                    reached.RemoveAt(reached.Count - 1);
                else if (!clamp)
                    throw Escapes(whole, layer);
                continue;
            }

            var here = reached[^1];
            if (!here.Children.TryGetValue(part, out var next))
            {
                if (!create)
                    return null;
                here.Children[part] = next = new LayerNode(Inode.ImpliedFolder(), layer);
            }

            if (next.Inode.IsLink)
            {
                if (++links > LinksFollowed)
                    return create ? throw RegistryFaults.Malformed(image, $"'{Printable(whole)}' in layer {layer + 1} goes through links in a circle") : null;
                if (next.Inode.Target.StartsWith('/'))
                    reached.RemoveRange(1, reached.Count - 1);
                foreach (var piece in next.Inode.Target.Split('/').Reverse())
                    pending.Push(piece);
                continue;
            }

            if (!next.Inode.IsFolder && (create || pending.Count > 0))
                return create ? throw RegistryFaults.Malformed(image, $"'{Printable(whole)}' in layer {layer + 1} is in something that is no folder") : null;
            reached.Add(next);
        }

        return reached[^1];
    }

    /// <summary>A name of a tar in its parts.</summary>
    private List<string> Split(string name)
    {
        if (name.Contains('\uFFFD', StringComparison.Ordinal) || name.Contains('\0', StringComparison.Ordinal))
            throw RegistryFaults.Unsupported(image, $"the name '{Printable(name)}' in it is not UTF-8");
        if (name.Trim('/') is "" or ".")
            return [];
        List<string> parts = [.. name.TrimEnd('/').Split('/').Where((part, i) => part != "." && (part.Length > 0 || i == 0))];
        if (parts.Contains("..") || parts[0].Length == 0)
            throw RegistryFaults.Malformed(image, $"the name '{Printable(name)}' in it would leave the image");
        return Encoding.UTF8.GetByteCount(name) <= LongestPath && parts.All(p => Encoding.UTF8.GetByteCount(p) <= LongestName)
            ? parts
            : throw RegistryFaults.Malformed(image, $"the name '{Printable(name)}' in it is longer than Linux takes");
    }

    private Inode InodeOf(TarEntry entry, string file, IReadOnlyDictionary<long, IReadOnlyDictionary<string, byte[]>> attributes, int layer)
    {
        var type = entry.EntryType switch
        {
            TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile => TarEntryType.RegularFile,
            TarEntryType.Directory or TarEntryType.SymbolicLink or TarEntryType.CharacterDevice or TarEntryType.BlockDevice or TarEntryType.Fifo => entry.EntryType,
            var other => throw RegistryFaults.Unsupported(image, $"'{Printable(entry.Name)}' in layer {layer + 1} is of the type {other}"),
        };
        var device = entry as PosixTarEntry;
        return new Inode
        {
            Type = type,
            Mode = (int)entry.Mode & 0b111_111_111_111,
            Uid = entry.Uid,
            Gid = entry.Gid,
            Modified = entry.ModificationTime,
            Target = type == TarEntryType.SymbolicLink ? entry.LinkName : "",
            DeviceMajor = type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice ? device?.DeviceMajor ?? 0 : 0,
            DeviceMinor = type is TarEntryType.CharacterDevice or TarEntryType.BlockDevice ? device?.DeviceMinor ?? 0 : 0,
            // A header is the block before the contents.
            Attributes = attributes.GetValueOrDefault(entry.DataOffset - HeaderLength) ?? PaxRecords.Attributes(entry),
            File = type == TarEntryType.RegularFile && entry.Length > 0 ? file : null,
            At = entry.DataOffset,
            Length = type == TarEntryType.RegularFile ? entry.Length : 0,
        };
    }

    private Faults.FaultException Escapes(string name, int layer) =>
        RegistryFaults.Malformed(image, $"'{Printable(name)}' in layer {layer + 1} would leave the image");

    private static string Printable(string text) => new([.. text.Take(200).Select(c => char.IsControl(c) ? '?' : c)]);
}
