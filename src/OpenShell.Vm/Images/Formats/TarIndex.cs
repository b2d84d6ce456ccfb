using System.Formats.Tar;

namespace OpenShell.Vm.Images.Formats;

/// <summary>Reads single files out of a large uncompressed tar without unpacking it.</summary>
internal sealed class TarIndex : IDisposable
{
    private const int LinksFollowed = 16; // against loops; no distribution nests more

    private readonly FileStream _stream;
    private readonly Dictionary<string, Item> _items = new(StringComparer.Ordinal);

    private TarIndex(FileStream stream) => _stream = stream;

    /// <summary>Reads all headers.</summary>
    public static TarIndex Open(string path)
    {
        var index = new TarIndex(File.OpenRead(path));
        using var reader = new TarReader(index._stream, leaveOpen: true);
        while (reader.GetNextEntry() is { } entry)
        {
            var link = entry.EntryType is TarEntryType.SymbolicLink or TarEntryType.HardLink ? entry.LinkName : null;
            var name = Normal(entry.Name);
            index._items[name] = new Item(entry.DataOffset, entry.Length, entry.EntryType == TarEntryType.HardLink ? "/" + Normal(link!) : link);

            // Folders need not have entries of their own.
            for (var slash = name.LastIndexOf('/'); slash > 0 && index._items.TryAdd(name[..slash], Item.Folder); slash = name.LastIndexOf('/', slash - 1))
            {
            }
        }

        return index;
    }

    /// <summary>The names of all entries, without leading <c>./</c> or slash.</summary>
    public IEnumerable<string> Names => _items.Keys;

    /// <summary>The path that a path leads to, links followed; <see langword="null"/> if there is nothing.</summary>
    public string? Resolve(string path)
    {
        var parts = new Stack<string>(Normal(path).Split('/').Reverse());
        var reached = "";
        for (var links = 0; parts.Count > 0;)
        {
            var part = parts.Pop();
            if (part is "" or ".")
                continue;
            if (part == "..")
            {
                reached = reached.LastIndexOf('/') is var slash and > 0 ? reached[..slash] : "";
                continue;
            }

            var next = reached.Length > 0 ? reached + "/" + part : part;
            if (!_items.TryGetValue(next, out var item))
                return null;
            if (item.Link is null)
            {
                reached = next;
                continue;
            }

            if (++links > LinksFollowed)
                return null;
            if (item.Link.StartsWith('/'))
                reached = "";
            foreach (var piece in item.Link.Split('/').Reverse())
                parts.Push(piece);
        }

        return reached;
    }

    /// <summary>A file's content, links followed.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public byte[] Read(string path)
    {
        if (Resolve(path) is not { } real || !_items.TryGetValue(real, out var item) || item.Offset < 0)
            throw new FileNotFoundException($"{path} is not in {_stream.Name}");
        var content = new byte[item.Length];
        _stream.Position = item.Offset;
        _stream.ReadExactly(content);
        return content;
    }

    public void Dispose() => _stream.Dispose();

    private static string Normal(string name) => name.StartsWith("./", StringComparison.Ordinal) ? name[2..].Trim('/') : name.Trim('/');

    private sealed record Item(long Offset, long Length, string? Link)
    {
        public static readonly Item Folder = new(-1, 0, null);
    }
}
