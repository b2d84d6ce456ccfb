using System.Buffers.Binary;
using System.Text;

namespace OpenShell.Vm.Tests.Kernels;

/// <summary>Writes what a kernel with CONFIG_KALLSYMS carries, in the order of Linux 6.12's scripts/kallsyms.c; its compression is a plainer one.</summary>
internal static class KallsymsImage
{
    /// <summary>Strings for which there is a code of their own.</summary>
    private static readonly string[] Words = ["nf_tables_", "register_", "_init"];

    /// <summary>An image with the tables in the midst of other bytes.</summary>
    /// <param name="names">The symbols, each after the letter of its type: <c>Tveth_xmit</c>.</param>
    /// <param name="between">Bytes between the markers and the strings, where 6.1 has a further table.</param>
    public static byte[] Of(IReadOnlyList<string> names, int between = 0)
    {
        var strings = Strings();
        var image = new MemoryStream();
        Garbage(image, 4096);
        Label(image);
        U32(image, (uint)names.Count);
        Label(image);
        var start = image.Position;
        var markers = new List<uint>();
        for (var i = 0; i < names.Count; i++)
        {
            if (i % 256 == 0)
                markers.Add((uint)(image.Position - start));
            var codes = Codes(names[i], strings);
            if (codes.Count > 0x7F)
                image.Write([(byte)((codes.Count & 0x7F) | 0x80), (byte)(codes.Count >> 7)]);
            else
                image.WriteByte((byte)codes.Count);
            image.Write([.. codes]);
        }

        Label(image);
        markers.ForEach(m => U32(image, m));
        Label(image);
        Garbage(image, between);
        Label(image);
        var places = new List<ushort>();
        var table = image.Position;
        foreach (var text in strings)
        {
            places.Add((ushort)(image.Position - table));
            image.Write(Encoding.UTF8.GetBytes(text + '\0'));
        }

        Label(image);
        foreach (var place in places)
            image.Write([(byte)place, (byte)(place >> 8)]);
        Garbage(image, 4096);
        return image.ToArray();
    }

    // The letters stand for themselves, as in a kernel; other codes for words, or for what nobody uses.
    private static string[] Strings()
    {
        var strings = new string[256];
        for (var code = 0; code < strings.Length; code++)
            strings[code] = code is > ' ' and < 0x7F ? ((char)code).ToString() : code < Words.Length ? Words[code] : $"unused-{code}";
        return strings;
    }

    private static List<byte> Codes(string name, string[] strings)
    {
        var codes = new List<byte>();
        for (var at = 0; at < name.Length;)
        {
            var word = Array.FindIndex(Words, w => string.CompareOrdinal(name, at, w, 0, w.Length) == 0);
            codes.Add(word >= 0 ? (byte)word : (byte)name[at]);
            at += strings[codes[^1]].Length;
        }

        return codes;
    }

    private static void Label(MemoryStream image) => image.Write(new byte[(8 - (image.Position % 8)) % 8]);

    private static void U32(MemoryStream image, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        image.Write(bytes);
    }

    private static void Garbage(MemoryStream image, int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        image.Write(bytes);
    }
}
