using System.Globalization;
using System.Text;

namespace OpenShell.Vm.Bundles;

/// <summary>
/// The header of a regular file in a tar, in the one form that a bundle has (ustar, https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html): owner 0, time 0, no
/// links. System.Formats.Tar writes and reads the same; here every byte is known beforehand, so that a changed one is found wherever it is, and reading goes on behind it.
/// </summary>
internal sealed record BundleHeader(string Name, long Size, bool IsFile)
{
    /// <summary>Bytes of a header, and what contents are filled up to a multiple of.</summary>
    public const int Block = 512;

    /// <summary>The two blocks of zeros at the end.</summary>
    public const int End = 2 * Block;

    /// <summary>The size field has eleven octal digits.</summary>
    public const long LargestSize = (1L << 33) - 1;

    private const int ModeAt = 100, OwnerAt = 108, GroupAt = 116, SizeAt = 124, TimeAt = 136, SumAt = 148, TypeAt = 156, MagicAt = 257, SumLength = 8;

    /// <summary>Contents with what fills them up.</summary>
    public static long Padded(long size) => (size + Block - 1) / Block * Block;

    /// <summary>The header as a bundle has it.</summary>
    public static byte[] Bytes(string name, long size, bool executable)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Encoding.UTF8.GetByteCount(name), BundleNames.LongestPath);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, LargestSize);
        var block = new byte[Block];
        Encoding.UTF8.GetBytes(name, block);
        Octal(block, ModeAt, 7, executable ? 0b111_101_101 : 0b110_100_100);
        Octal(block, OwnerAt, 7, 0);
        Octal(block, GroupAt, 7, 0);
        Octal(block, SizeAt, 11, size);
        Octal(block, TimeAt, 11, 0);
        block[TypeAt] = (byte)'0';
        "ustar\0"u8.CopyTo(block.AsSpan(MagicAt));
        "00"u8.CopyTo(block.AsSpan(MagicAt + 6));
        Octal(block, SumAt, 6, Sum(block));
        block[SumAt + 7] = (byte)' ';
        return block;
    }

    /// <summary>What a block says, in whatever form; <see langword="null"/>: it is no header, or a damaged one.</summary>
    public static BundleHeader? Parse(ReadOnlySpan<byte> block)
    {
        if (!HasMagic(block) || Number(block.Slice(SumAt, SumLength)) != Sum(block) || Number(block.Slice(SizeAt, 12)) is not { } size)
            return null;
        var name = block[..ModeAt];
        var end = name.IndexOf((byte)0);
        return new BundleHeader(Encoding.UTF8.GetString(end < 0 ? name : name[..end]), size, block[TypeAt] is (byte)'0' or 0);
    }

    /// <summary>Whether a block looks like a header at all.</summary>
    public static bool HasMagic(ReadOnlySpan<byte> block) => block.Slice(MagicAt, 5).SequenceEqual("ustar"u8);

    // The field of the sum itself counts as blanks.
    private static long Sum(ReadOnlySpan<byte> block)
    {
        long sum = SumLength * ' ';
        for (var i = 0; i < Block; i++)
            sum += i is >= SumAt and < SumAt + SumLength ? 0 : block[i];
        return sum;
    }

    private static void Octal(byte[] block, int at, int digits, long value) =>
        Encoding.ASCII.GetBytes(Convert.ToString(value, 8).PadLeft(digits, '0'), block.AsSpan(at, digits));

    private static long? Number(ReadOnlySpan<byte> field)
    {
        var text = Encoding.ASCII.GetString(field).Trim('\0', ' ');
        long value = 0;
        foreach (var digit in text)
        {
            if (digit is < '0' or > '7')
                return null;
            value = (value * 8) + (digit - '0');
        }

        return text.Length > 0 ? value : null;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Name} ({Size} bytes)");
}
