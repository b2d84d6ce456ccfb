using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Text;

namespace OpenShell.Vm.Kernels;

/// <summary>
/// The names of a kernel's functions, and of its variables if it was built with CONFIG_KALLSYMS_ALL, out of the table that it carries for its own use (CONFIG_KALLSYMS).
/// The format is that of Linux 6.12 (written by scripts/kallsyms.c, read by kernel/kallsyms.c), in this order: the number of symbols; for each a length and that many
/// codes; markers, the places of every 256th; 256 strings, one for each code; where each of them begins. Each table begins at a multiple of eight bytes. Addresses follow,
/// which are not read here; in 6.1 they come first, and further tables may stand between the markers and the strings.
/// </summary>
public sealed class KernelSymbols
{
    private const int Alignment = 8, Codes = 256, IndexBytes = Codes * sizeof(ushort), SymbolsPerMarker = 256;

    // KSYM_NAME_LEN in scripts/kallsyms.c: no string, and no name, is longer.
    private const int LongestName = 512;

    // Several times what a kernel with everything built in has.
    private const uint MostSymbols = 1 << 22;

    private KernelSymbols(FrozenSet<string> names) => Names = names;

    /// <summary>The names. Several functions may share one.</summary>
    public IReadOnlySet<string> Names { get; }

    /// <summary>Finds and decodes the table.</summary>
    /// <param name="image">An uncompressed kernel as it lies in memory, or a file that holds one in one piece: <c>vmlinux</c>, <c>Image</c>, <c>libkrunfw.so.5</c>.</param>
    /// <exception cref="InvalidDataException">It holds none, or one of another format.</exception>
    public static KernelSymbols Read(ReadOnlySpan<byte> image)
    {
        var strings = false;
        for (var at = 0; at + IndexBytes <= image.Length; at += Alignment)
        {
            if (Strings(image, at) is not { } table)
                continue;
            strings = true;
            if (Decode(image[..table.Start], table.Texts) is { } names)
                return new KernelSymbols(names);
        }

        throw new InvalidDataException(strings
            ? "no symbol table of a known format: its strings are there, but no names that fit them"
            : "no symbol table: it is not an uncompressed kernel, or one without CONFIG_KALLSYMS");
    }

    /// <summary>The strings whose places stand at <paramref name="index"/>, and where they begin.</summary>
    private static (int Start, byte[][] Texts)? Strings(ReadOnlySpan<byte> image, int index)
    {
        Span<int> places = stackalloc int[Codes];
        for (var code = 0; code < Codes; code++)
        {
            places[code] = BinaryPrimitives.ReadUInt16LittleEndian(image[(index + (code * sizeof(ushort)))..]);
            // The first is at 0, and none is empty: behind each is a zero.
            if (code == 0 ? places[0] != 0 : places[code] - places[code - 1] is < 2 or > LongestName)
                return null;
        }

        // Right before the index, but for the zeros that align it; only the last string's length is not known.
        for (var start = (index - places[^1] - 2) / Alignment * Alignment; start >= 0 && start >= index - places[^1] - LongestName - Alignment; start -= Alignment)
        {
            if (Cut(image[start..index], places) is { } texts)
                return (start, texts);
        }

        return null;
    }

    private static byte[][]? Cut(ReadOnlySpan<byte> table, ReadOnlySpan<int> places)
    {
        var texts = new byte[Codes][];
        for (var code = 0; code < Codes; code++)
        {
            var rest = table[places[code]..];
            var length = rest.IndexOf((byte)0);
            var behind = code + 1 < Codes ? places[code + 1] - places[code] : rest.Length;
            if (length <= 0 || (code + 1 < Codes ? length + 1 != behind : behind - length > Alignment || rest[length..].ContainsAnyExcept((byte)0)))
                return null;
            texts[code] = rest[..length].ToArray();
        }

        return texts;
    }

    /// <summary>The names, which stand somewhere before the strings: the nearest place from which as many names as are said to be there agree with the markers behind them.</summary>
    private static FrozenSet<string>? Decode(ReadOnlySpan<byte> before, byte[][] strings)
    {
        for (var start = before.Length - Alignment; start >= Alignment; start -= Alignment)
        {
            // A number of four bytes, then zeros up to the names.
            var count = BinaryPrimitives.ReadUInt64LittleEndian(before[(start - Alignment)..]);
            if (count is > 0 and <= MostSymbols && Places(before[start..], (int)count) is { } places && Expand(before[start..], places, strings) is { } names)
                return names;
        }

        return null;
    }

    /// <summary>Where the codes of each name stand; <see langword="null"/> if these are no names, or the markers behind them say otherwise.</summary>
    private static List<Range>? Places(ReadOnlySpan<byte> names, int count)
    {
        var places = new List<Range>();
        var markers = new List<int>();
        var at = 0;
        for (var i = 0; i < count; i++)
        {
            if (i % SymbolsPerMarker == 0)
                markers.Add(at);
            if (at + 1 >= names.Length)
                return null;
            int length = names[at++];
            // Two bytes where seven bits do not suffice, the lower seven first.
            if (length > 0x7F)
                length = (length & 0x7F) | (names[at++] << 7);
            if (length == 0 || length > names.Length - at)
                return null;
            places.Add(at..(at + length));
            at += length;
        }

        at = (at + Alignment - 1) / Alignment * Alignment;
        if (at + (markers.Count * sizeof(uint)) > names.Length)
            return null;
        foreach (var marker in markers)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(names[at..]) != marker)
                return null;
            at += sizeof(uint);
        }

        return places;
    }

    private static FrozenSet<string>? Expand(ReadOnlySpan<byte> names, List<Range> places, byte[][] strings)
    {
        var expanded = new HashSet<string>(places.Count, StringComparer.Ordinal);
        var text = new List<byte>();
        foreach (var place in places)
        {
            text.Clear();
            foreach (var code in names[place])
                text.AddRange(strings[code]);
            // The first letter is the symbol's type, as nm prints it.
            if (text.Count is < 2 or > LongestName)
                return null;
            expanded.Add(Encoding.UTF8.GetString([.. text[1..]]));
        }

        return expanded.ToFrozenSet(StringComparer.Ordinal);
    }
}
