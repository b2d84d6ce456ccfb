using System.Buffers.Binary;
using System.Text;

namespace OpenShell.Vm.Images.Formats;

/// <summary>What a 64-bit little-endian ELF file says about how it is to be loaded (https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html).</summary>
internal sealed record ElfFile
{
    private const int LoadSegment = 1, DynamicSegment = 2, InterpreterSegment = 3;
    private const long NeededTag = 1, StringTableTag = 5;

    /// <summary>The dynamic loader, such as <c>/lib64/ld-linux-x86-64.so.2</c>; <see langword="null"/> for libraries and static programs.</summary>
    public string? Interpreter { get; private init; }

    /// <summary>Names of the libraries that the loader must find.</summary>
    public required IReadOnlyList<string> Needed { get; init; }

    /// <summary>The processor that it is for (<c>e_machine</c>): 62 x86-64, 183 AArch64.</summary>
    public required ushort Machine { get; init; }

    /// <summary>Where it is entered (<c>e_entry</c>).</summary>
    public required ulong Entry { get; init; }

    /// <summary>What of it is loaded, in the order of the file.</summary>
    public required IReadOnlyList<ElfSegment> Loaded { get; init; }

    /// <summary>Reads the headers.</summary>
    /// <exception cref="InvalidDataException">It is not a 64-bit little-endian ELF file, or it is cut off.</exception>
    public static ElfFile Parse(ReadOnlySpan<byte> file)
    {
        try
        {
            if (!file.StartsWith("\x7f\x45LF\x02\x01"u8))
                throw new InvalidDataException("not a 64-bit little-endian ELF file");
            var segments = Segments(file);
            string? interpreter = null;
            var needed = new List<string>();
            foreach (var segment in segments)
            {
                if (segment.Type == InterpreterSegment)
                    interpreter = Text(file, segment.Offset);
                else if (segment.Type == DynamicSegment)
                    needed.AddRange(Libraries(file, segment, segments));
            }

            return new ElfFile
            {
                Interpreter = interpreter,
                Needed = needed,
                Machine = BinaryPrimitives.ReadUInt16LittleEndian(file[0x12..]),
                Entry = BinaryPrimitives.ReadUInt64LittleEndian(file[0x18..]),
                Loaded = [.. segments.Where(s => s.Type == LoadSegment)],
            };
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new InvalidDataException("the ELF file is cut off", e);
        }
    }

    private static List<ElfSegment> Segments(ReadOnlySpan<byte> file)
    {
        var table = (int)BinaryPrimitives.ReadInt64LittleEndian(file[0x20..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(file[0x36..]), count = BinaryPrimitives.ReadUInt16LittleEndian(file[0x38..]);
        var segments = new List<ElfSegment>();
        for (var i = 0; i < count; i++)
        {
            var header = file[(table + (i * size))..];
            segments.Add(new ElfSegment(
                BinaryPrimitives.ReadInt32LittleEndian(header),
                (int)BinaryPrimitives.ReadInt64LittleEndian(header[0x08..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[0x10..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[0x18..]),
                (int)BinaryPrimitives.ReadInt64LittleEndian(header[0x20..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[0x28..])));
        }

        return segments;
    }

    private static List<string> Libraries(ReadOnlySpan<byte> file, ElfSegment dynamic, List<ElfSegment> segments)
    {
        var names = new List<long>();
        var strings = 0L;
        for (var at = dynamic.Offset; at < dynamic.Offset + dynamic.FileSize; at += 16)
        {
            var tag = BinaryPrimitives.ReadInt64LittleEndian(file[at..]);
            var value = BinaryPrimitives.ReadInt64LittleEndian(file[(at + 8)..]);
            if (tag == NeededTag)
                names.Add(value);
            else if (tag == StringTableTag)
                strings = value;
        }

        // The string table is named by its address in memory; the segment that is loaded there says where that is in the file.
        var load = segments.First(s => s.Type == LoadSegment && strings >= s.Address && strings < s.Address + s.FileSize);
        var libraries = new List<string>();
        foreach (var name in names)
            libraries.Add(Text(file, (int)(strings - load.Address + load.Offset + name)));
        return libraries;
    }

    private static string Text(ReadOnlySpan<byte> file, int offset)
    {
        var rest = file[offset..];
        return Encoding.UTF8.GetString(rest[..rest.IndexOf((byte)0)]);
    }
}

/// <summary>A piece of an ELF file that belongs together in memory (its program header).</summary>
/// <param name="Type">1: it is loaded.</param>
/// <param name="Offset">Where it begins in the file.</param>
/// <param name="Address">Where it is in memory once paging is on.</param>
/// <param name="PhysicalAddress">Where a loader without paging puts it.</param>
/// <param name="FileSize">Bytes of it in the file.</param>
/// <param name="MemorySize">Bytes of it in memory; what the file lacks is zero.</param>
internal readonly record struct ElfSegment(int Type, int Offset, long Address, long PhysicalAddress, int FileSize, long MemorySize);
