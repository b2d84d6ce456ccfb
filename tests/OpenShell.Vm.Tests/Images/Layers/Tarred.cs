using System.Formats.Tar;
using System.Text;

namespace OpenShell.Vm.Tests.Images.Layers;

/// <summary>
/// Layers as one writes them down: <c>etc/</c> a folder, <c>etc/passwd=root</c> a file, <c>bin->usr/bin</c> a symbolic link, <c>b=>a</c> a hard link,
/// <c>-etc/passwd</c> a whiteout, <c>-etc/*</c> an opaque one; and what is in a tar, in the same form.
/// </summary>
internal static class Tarred
{
    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1_700_000_000);

    /// <summary>A tar of entries.</summary>
    public static byte[] Of(params IEnumerable<string> entries)
    {
        using var content = new MemoryStream();
        using (var tar = new TarWriter(content, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var entry in entries)
                tar.WriteEntry(Parse(entry));
        }

        return content.ToArray();
    }

    /// <summary>A tar of entries of the caller's own.</summary>
    public static byte[] Of(params IEnumerable<TarEntry> entries)
    {
        using var content = new MemoryStream();
        using (var tar = new TarWriter(content, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var entry in entries)
                tar.WriteEntry(entry);
        }

        return content.ToArray();
    }

    /// <summary>What is in a tar, but for its root.</summary>
    public static IReadOnlyList<string> Listed(Stream tar)
    {
        var listed = new List<string>();
        using var reader = new TarReader(tar);
        while (reader.GetNextEntry() is { } entry)
        {
            if (entry.Name != "./")
                listed.Add(Shown(entry));
        }

        return listed;
    }

    public static string Shown(TarEntry entry) => entry.EntryType switch
    {
        TarEntryType.Directory => entry.Name.TrimEnd('/') + "/",
        TarEntryType.SymbolicLink => $"{entry.Name}->{entry.LinkName}",
        TarEntryType.HardLink => $"{entry.Name}=>{entry.LinkName}",
        TarEntryType.RegularFile or TarEntryType.V7RegularFile => $"{entry.Name}={Text(entry)}",
        _ => $"{entry.Name}:{entry.EntryType}",
    };

    private static string Text(TarEntry entry)
    {
        using var content = new MemoryStream();
        entry.DataStream?.CopyTo(content);
        return Encoding.UTF8.GetString(content.ToArray());
    }

    private static PaxTarEntry Parse(string text)
    {
        if (text[0] == '-')
        {
            var (folder, name) = text.LastIndexOf('/') is var slash and > 0 ? (text[1..(slash + 1)], text[(slash + 1)..]) : ("", text[1..]);
            return Entry(TarEntryType.RegularFile, folder + (name == "*" ? ".wh..wh..opq" : ".wh." + name));
        }

        if (text.Split("->") is [var link, var target])
            return Entry(TarEntryType.SymbolicLink, link, target);
        if (text.Split("=>") is [var hard, var to])
            return Entry(TarEntryType.HardLink, hard, to);
        if (text.Split('=', 2) is [var file, var content])
        {
            var entry = Entry(TarEntryType.RegularFile, file);
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content));
            return entry;
        }

        return Entry(TarEntryType.Directory, text);
    }

    private static PaxTarEntry Entry(TarEntryType type, string name, string? target = null)
    {
        var entry = new PaxTarEntry(type, name)
        {
            Mode = (UnixFileMode)(type == TarEntryType.Directory ? 0b111_101_101 : type == TarEntryType.SymbolicLink ? 0b111_111_111 : 0b110_100_100),
            ModificationTime = Time,
        };
        if (target is not null)
            entry.LinkName = target;
        return entry;
    }
}
