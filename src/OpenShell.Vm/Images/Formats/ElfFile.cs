using System.Buffers.Binary;
using System.Text;

namespace OpenShell.Vm.Images.Formats;

/// <summary>What a 64-bit little-endian ELF file says about what it needs to be loaded (https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html).</summary>
internal sealed record ElfFile
{
    private const int LoadSegment = 1, DynamicSegment = 2, InterpreterSegment = 3;
    private const long NeededTag = 1, StringTableTag = 5;

    /// <summary>The dynamic loader, such as <c>/lib64/ld-linux-x86-64.so.2</c>; <see langword="null"/> for libraries and static programs.</summary>
    public string? Interpreter { get; private init; }

    /// <summary>Names of the libraries that the loader must find.</summary>
    public required IReadOnlyList<string> Needed { get; init; }

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

            return new ElfFile { Interpreter = interpreter, Needed = needed };
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new InvalidDataException("the ELF file is cut off", e);
        }
    }

    private static List<Segment> Segments(ReadOnlySpan<byte> file)
    {
        var table = (int)BinaryPrimitives.ReadInt64LittleEndian(file[0x20..]);
        int size = BinaryPrimitives.ReadUInt16LittleEndian(file[0x36..]), count = BinaryPrimitives.ReadUInt16LittleEndian(file[0x38..]);
        var segments = new List<Segment>();
        for (var i = 0; i < count; i++)
        {
            var header = file[(table + (i * size))..];
            segments.Add(new Segment(
                BinaryPrimitives.ReadInt32LittleEndian(header),
                (int)BinaryPrimitives.ReadInt64LittleEndian(header[0x08..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[0x10..]),
                (int)BinaryPrimitives.ReadInt64LittleEndian(header[0x20..])));
        }

        return segments;
    }

    private static List<string> Libraries(ReadOnlySpan<byte> file, Segment dynamic, List<Segment> segments)
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

    private readonly record struct Segment(int Type, int Offset, long Address, int FileSize);
}
