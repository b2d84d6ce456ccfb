using System.Collections.Immutable;
using System.Formats.Tar;
using System.Globalization;
using System.Text;

namespace OpenShell.Vm.Images.Layers;

/// <summary>
/// Extended attributes in a tar (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html). In layers they are <c>SCHILY.xattr.NAME</c> of star(5), whose values are bytes:
/// System.Formats.Tar makes texts of them, and refuses a tar that has a line feed in one. So they are taken out before it reads, and kept as <c>LIBARCHIVE.xattr.NAME</c>, which is Base64
/// (https://github.com/libarchive/libarchive/blob/master/libarchive/archive_write_set_format_pax.c).
/// </summary>
internal static class PaxRecords
{
    private const string BytesPrefix = "SCHILY.xattr.", TextPrefix = "LIBARCHIVE.xattr.";

    private const int Block = 512, SizeAt = 124, SizeLength = 12, TypeAt = 156, ModeAt = 100, SumAt = 148, MagicAt = 257;

    // What an entry may have before it: no file system takes more of attributes than 64 KiB, and no name is longer than 4 KiB.
    private const int Longest = 1 << 20;

    /// <summary>
    /// Takes the attributes with values of bytes out of a tar: other records, of the same lengths, take their places. Returns them by the places of their entries' own headers.
    /// Whatever else is wrong with the tar, its reader will say.
    /// </summary>
    /// <exception cref="InvalidDataException">They are damaged.</exception>
    public static IReadOnlyDictionary<long, IReadOnlyDictionary<string, byte[]>> Take(string path)
    {
        using var tar = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        var found = new Dictionary<long, IReadOnlyDictionary<string, byte[]>>();
        var block = new byte[Block];
        var attributes = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        long? largeSize = null;
        for (var at = 0L; ;)
        {
            tar.Position = at;
            if (tar.ReadAtLeast(block, Block, throwOnEndOfStream: false) < Block || block.AsSpan().IndexOfAnyExcept((byte)0) < 0)
                return found;
            var size = Number(block.AsSpan(SizeAt, SizeLength));
            if (size < 0)
                return found;
            if (block[TypeAt] is (byte)'x' or (byte)'g' or (byte)'L' or (byte)'K')
            {
                if (block[TypeAt] == (byte)'x')
                    TakeFrom(tar, size, attributes, ref largeSize);
                at += Block + Padded(size);
                continue;
            }

            if (attributes.Count > 0)
                found[at] = new Dictionary<string, byte[]>(attributes, StringComparer.Ordinal);

            // Of the others only files have contents, whatever their headers say.
            at += Block + (block[TypeAt] is (byte)'0' or 0 or (byte)'7' ? Padded(largeSize ?? size) : 0);
            attributes.Clear();
            largeSize = null;
        }
    }

    /// <summary>The attributes of an entry that are texts.</summary>
    public static IReadOnlyDictionary<string, byte[]> Attributes(TarEntry entry)
    {
        if (entry is not PaxTarEntry pax || !pax.ExtendedAttributes.Keys.Any(k => k.StartsWith(TextPrefix, StringComparison.Ordinal)))
            return ImmutableDictionary<string, byte[]>.Empty;
        var attributes = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        foreach (var (name, value) in pax.ExtendedAttributes.Where(a => a.Key.StartsWith(TextPrefix, StringComparison.Ordinal)))
            attributes[Uri.UnescapeDataString(name[TextPrefix.Length..])] = Convert.FromBase64String(value.TrimEnd('=').PadRight((value.TrimEnd('=').Length + 3) / 4 * 4, '='));
        return attributes;
    }

    /// <summary>Attributes as records of bytes.</summary>
    public static IEnumerable<(string Name, byte[] Value)> AsBytes(IReadOnlyDictionary<string, byte[]> attributes) =>
        attributes.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => (BytesPrefix + a.Key, a.Value));

    /// <summary>Attributes as records of texts.</summary>
    public static IEnumerable<(string Name, byte[] Value)> AsText(IReadOnlyDictionary<string, byte[]> attributes) =>
        attributes.OrderBy(a => a.Key, StringComparer.Ordinal).Select(a => (TextPrefix + Uri.EscapeDataString(a.Key), Encoding.ASCII.GetBytes(Convert.ToBase64String(a.Value).TrimEnd('='))));

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

    private static void TakeFrom(FileStream tar, long size, Dictionary<string, byte[]> attributes, ref long? largeSize)
    {
        if (size > Longest)
            throw new InvalidDataException("a header is larger than headers are");
        var at = tar.Position;
        var content = new byte[size];
        tar.ReadExactly(content);
        var changed = false;
        for (var from = 0; from < content.Length;)
        {
            var rest = content.AsSpan(from);
            var blank = rest.IndexOf((byte)' ');
            if (blank <= 0 || !int.TryParse(rest[..blank], NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length <= blank + 2 || length > rest.Length)
                throw new InvalidDataException("a pax record is damaged");
            var record = rest[(blank + 1)..(length - 1)];
            var equals = record.IndexOf((byte)'=');
            var name = equals > 0 ? Encoding.UTF8.GetString(record[..equals]) : "";
            if (name == "size" && long.TryParse(record[(equals + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var large))
                largeSize = large;
            if (name.StartsWith(BytesPrefix, StringComparison.Ordinal))
            {
                // The last of a name counts; readers want each once.
                attributes[name[BytesPrefix.Length..]] = record[(equals + 1)..].ToArray();
                record.Fill((byte)'.');
                Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"taken{from}="), record);
                changed = true;
            }

            from += length;
        }

        if (!changed)
            return;
        tar.Position = at;
        tar.Write(content);
    }

    private static long Padded(long size) => (size + Block - 1) / Block * Block;

    // Octal digits, or, with the highest bit set, a number in base 256 (GNU).
    private static long Number(ReadOnlySpan<byte> field)
    {
        if ((field[0] & 0x80) != 0)
            return field[0] == 0x80 && field[1..4].IndexOfAnyExcept((byte)0) < 0 ? System.Buffers.Binary.BinaryPrimitives.ReadInt64BigEndian(field[4..]) : -1;
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
