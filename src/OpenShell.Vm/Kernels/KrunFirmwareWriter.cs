using System.Buffers.Binary;
using System.Text;

namespace OpenShell.Vm.Kernels;

/// <summary>
/// Writes a kernel as the shared library that libkrun takes it from (https://github.com/containers/libkrunfw): two functions and the image, at a
/// boundary of 64 KiB and padded to one, since libkrun maps it into the guest as it is and hosts have pages of up to that size; writable, since it is
/// the guest's memory then. A plain ELF file (https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html) without sections, which only linkers need.
/// </summary>
internal static class KrunFirmwareWriter
{
    /// <summary>The name under which libkrun looks for it on Linux.</summary>
    public const string FileName = "libkrunfw.so.5";

    internal const string GetKernel = "krunfw_get_kernel", GetVersion = "krunfw_get_version";

    private const int Page = 0x10000;
    private const int HeaderSize = 64, ProgramHeaderSize = 56, ProgramHeaders = 4, SymbolSize = 24, Symbols = 3, DynamicEntrySize = 16;

    // The two functions' names, and the library's own.
    private static readonly byte[] Names = Encoding.ASCII.GetBytes($"\0{GetKernel}\0{GetVersion}\0{FileName}\0");

    /// <summary>Writes the library; equal kernels, equal bytes.</summary>
    public static void Write(FlatKernel kernel, Stream output)
    {
        var size = Aligned(kernel.Image.Length, Page);
        var symbols = HeaderSize + (ProgramHeaders * ProgramHeaderSize);
        var hash = symbols + (Symbols * SymbolSize);
        var names = hash + (6 * 4);
        var code = Aligned(names + Names.Length, 16);
        var getKernel = KrunFirmwareCode.GetKernel(kernel, (ulong)size, code, Page);
        var versionAt = Aligned(code + getKernel.Length, 16);
        var getVersion = KrunFirmwareCode.GetVersion(kernel.Machine);
        var dynamic = Dynamic(symbols, hash, names);

        var head = new byte[Page];
        Header(kernel.Machine).CopyTo(head, 0);
        byte[] segments =
        [
            .. Segment(type: 1, flags: 5, 0, versionAt + getVersion.Length, Page), // what is read and executed
            .. Segment(type: 1, flags: 6, Page, size + dynamic.Length, Page), // what is written to: the image, and the loader's table behind it
            .. Segment(type: 2, flags: 6, Page + size, dynamic.Length, 8), // PT_DYNAMIC
            .. Segment(type: 0x6474E551, flags: 6, 0, 0, 16), // PT_GNU_STACK: no executable stack
        ];
        segments.CopyTo(head, HeaderSize);
        SymbolTable(code, getKernel.Length, versionAt, getVersion.Length).CopyTo(head, symbols);
        Words(1, Symbols, 1, 0, 2, 0).CopyTo(head, hash); // one bucket with both functions in it: 1 bucket, 3 chains; it begins with 1, 1 leads to 2, 2 to none
        Names.CopyTo(head, names);
        getKernel.CopyTo(head, code);
        getVersion.CopyTo(head, versionAt);

        output.Write(head);
        output.Write(kernel.Image.Span);
        output.Write(new byte[size - kernel.Image.Length]);
        output.Write(dynamic);
    }

    private static byte[] Header(KernelMachine machine)
    {
        var header = new byte[HeaderSize];
        "\x7f\x45LF\x02\x01\x01"u8.CopyTo(header); // 64-bit, little-endian, version 1
        Put(header, 0x10, 3, 2); // ET_DYN
        Put(header, 0x12, (ushort)machine, 2);
        Put(header, 0x14, 1, 4);
        Put(header, 0x20, HeaderSize, 8); // the program headers follow
        Put(header, 0x34, HeaderSize, 2);
        Put(header, 0x36, ProgramHeaderSize, 2);
        Put(header, 0x38, ProgramHeaders, 2);
        Put(header, 0x3A, 64, 2); // size of a section header, of which there are none
        return header;
    }

    private static byte[] Segment(uint type, uint flags, int at, int size, int alignment)
    {
        var header = new byte[ProgramHeaderSize];
        Put(header, 0x00, type, 4);
        Put(header, 0x04, flags, 4);
        Put(header, 0x08, (ulong)at, 8); // in the file
        Put(header, 0x10, (ulong)at, 8); // in memory
        Put(header, 0x18, (ulong)at, 8);
        Put(header, 0x20, (ulong)size, 8);
        Put(header, 0x28, (ulong)size, 8);
        Put(header, 0x30, (ulong)alignment, 8);
        return header;
    }

    private static byte[] SymbolTable(int getKernel, int getKernelSize, int getVersion, int getVersionSize)
    {
        var table = new byte[Symbols * SymbolSize]; // the first is always empty
        Function(table.AsSpan(SymbolSize), 1, getKernel, getKernelSize);
        Function(table.AsSpan(2 * SymbolSize), 1 + GetKernel.Length + 1, getVersion, getVersionSize);
        return table;

        static void Function(Span<byte> symbol, int name, int at, int size)
        {
            Put(symbol, 0x00, (ulong)name, 4);
            symbol[0x04] = (1 << 4) | 2; // STB_GLOBAL, STT_FUNC
            Put(symbol, 0x06, 1, 2); // any section but none (0) and the absolute one
            Put(symbol, 0x08, (ulong)at, 8);
            Put(symbol, 0x10, (ulong)size, 8);
        }
    }

    private static byte[] Dynamic(int symbols, int hash, int names)
    {
        (ulong Tag, ulong Value)[] entries =
        [
            (14, (ulong)(1 + GetKernel.Length + 1 + GetVersion.Length + 1)), // DT_SONAME
            (4, (ulong)hash), // DT_HASH
            (5, (ulong)names), // DT_STRTAB
            (6, (ulong)symbols), // DT_SYMTAB
            (10, (ulong)Names.Length), // DT_STRSZ
            (11, SymbolSize), // DT_SYMENT
            (0, 0), // the end
        ];
        var table = new byte[entries.Length * DynamicEntrySize];
        for (var i = 0; i < entries.Length; i++)
        {
            Put(table, i * DynamicEntrySize, entries[i].Tag, 8);
            Put(table, (i * DynamicEntrySize) + 8, entries[i].Value, 8);
        }

        return table;
    }

    private static byte[] Words(params ReadOnlySpan<uint> values)
    {
        var bytes = new byte[values.Length * 4];
        for (var i = 0; i < values.Length; i++)
            Put(bytes, i * 4, values[i], 4);
        return bytes;
    }

    private static void Put(Span<byte> target, int at, ulong value, int size)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        bytes[..size].CopyTo(target[at..]);
    }

    private static int Aligned(int value, int boundary) => (value + boundary - 1) / boundary * boundary;
}
