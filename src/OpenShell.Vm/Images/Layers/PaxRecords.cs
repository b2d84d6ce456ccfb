using System.Formats.Tar;
using System.Globalization;
using System.Text;

namespace OpenShell.Vm.Images.Layers;

/// <summary>
/// Extended attributes in a tar (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, and <c>SCHILY.xattr.</c> of star(5)). Their values are bytes,
/// and System.Formats.Tar makes texts of them: so they are read and written here.
/// </summary>
internal static class PaxRecords
{
    public const string AttributePrefix = "SCHILY.xattr.";

    private const int Block = 512, SizeAt = 124, SizeLength = 12, TypeAt = 156, ModeAt = 100, SumAt = 148, MagicAt = 257;

    // What an entry may have before it: no file system takes more of attributes than 64 KiB, and no name is longer than 4 KiB.
    private const int Longest = 1 << 20;

    /// <summary>Whether an entry has extended attributes.</summary>
    public static bool HasAttributes(TarEntry entry) => (entry as PaxTarEntry)?.ExtendedAttributes.Keys.Any(k => k.StartsWith(AttributePrefix, StringComparison.Ordinal)) is true;

    /// <summary>Where the headers of the next entry begin.</summary>
    public static long Behind(TarEntry entry) =>
        entry.DataOffset + (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile or TarEntryType.ContiguousFile ? (entry.Length + Block - 1) / Block * Block : 0);

    /// <summary>The attributes of the entry whose first header is at a place of a tar.</summary>
    /// <exception cref="InvalidDataException">They are damaged.</exception>
    public static IReadOnlyDictionary<string, byte[]> Attributes(Stream tar, long at)
    {
        var found = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        var block = new byte[Block];
        var before = tar.Position;
        tar.Position = at;

        // Headers about the entry, in whichever order, then the entry's own.
        while (tar.ReadAtLeast(block, Block, throwOnEndOfStream: false) == Block && block[TypeAt] is (byte)'x' or (byte)'g' or (byte)'L' or (byte)'K')
        {
            var size = Octal(block.AsSpan(SizeAt, SizeLength));
            if (size is < 0 or > Longest)
                throw new InvalidDataException("a header is larger than headers are");
            var content = new byte[(size + Block - 1) / Block * Block];
            tar.ReadExactly(content);
            if (block[TypeAt] == (byte)'x')
                Read(content.AsSpan(0, (int)size), found);
        }

        tar.Position = before;
        return found;
    }

    /// <summary>The blocks that say of the entry behind them what its own header has no place for; nothing where there is nothing to say.</summary>
    public static byte[] Header(IEnumerable<(string Name, byte[] Value)> records)
    {
        using var content = new MemoryStream();
        foreach (var (name, value) in records)
            Write(content, name, value);
        if (content.Length == 0)
            return [];
        var size = (int)content.Length;
        var blocks = new byte[Block + ((size + Block - 1) / Block * Block)];
        content.ToArray().CopyTo(blocks, Block);
        "././@PaxHeader"u8.CopyTo(blocks);
        Octal(blocks, ModeAt, 7, 0b110_100_100);
        Octal(blocks, ModeAt + 8, 7, 0);
        Octal(blocks, ModeAt + 16, 7, 0);
        Octal(blocks, SizeAt, 11, size);
        Octal(blocks, SizeAt + SizeLength, 11, 0);
        blocks[TypeAt] = (byte)'x';
        "ustar\0"u8.CopyTo(blocks.AsSpan(MagicAt));
        "00"u8.CopyTo(blocks.AsSpan(MagicAt + 6));

        // The field of the sum itself counts as blanks.
        blocks.AsSpan(SumAt, 8).Fill((byte)' ');
        var sum = 0;
        foreach (var value in blocks.AsSpan(0, Block))
            sum += value;
        Octal(blocks, SumAt, 6, sum);
        blocks[SumAt + 6] = 0;
        return blocks;
    }

    /// <summary>Attributes as records.</summary>
    public static IEnumerable<(string Name, byte[] Value)> Of(IReadOnlyDictionary<string, byte[]> attributes) => attributes.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => (AttributePrefix + a.Key, a.Value));

    // "LENGTH NAME=VALUE\n", and the length counts its own digits too.
    private static void Write(MemoryStream content, string name, byte[] value)
    {
        var rest = Encoding.UTF8.GetByteCount(name) + value.Length + 3;
        var length = rest + Digits(rest);
        if (rest + Digits(length) != length)
            length = rest + Digits(length);
        content.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{length} {name}=")));
        content.Write(value);
        content.WriteByte((byte)'\n');

        static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
    }

    private static void Read(ReadOnlySpan<byte> content, SortedDictionary<string, byte[]> found)
    {
        while (content.Length > 0)
        {
            var blank = content.IndexOf((byte)' ');
            if (blank <= 0 || !int.TryParse(content[..blank], NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length <= blank + 2 || length > content.Length)
                throw new InvalidDataException("a pax record is damaged");
            var record = content[(blank + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            if (equals > 0 && Encoding.UTF8.GetString(record[..equals]) is var name && name.StartsWith(AttributePrefix, StringComparison.Ordinal))
                found[name[AttributePrefix.Length..]] = record[(equals + 1)..].ToArray();
            content = content[length..];
        }
    }

    private static long Octal(ReadOnlySpan<byte> field)
    {
        long value = 0;
        foreach (var digit in field)
        {
            if (digit is (byte)' ' or 0)
                continue;
            if (digit is < (byte)'0' or > (byte)'7')
                return -1;
            value = (value * 8) + (digit - '0');
        }

        return value;
    }

    private static void Octal(byte[] block, int at, int digits, long value) =>
        Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(digits, '0'), block.AsSpan(at, digits));
}
