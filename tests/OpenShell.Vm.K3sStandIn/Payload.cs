using System.Buffers.Binary;
using System.Formats.Tar;
using System.Security.Cryptography;

namespace OpenShell.Vm.K3sStandIn;

/// <summary>
/// The components, a tar behind the program in the same file, as k3s carries its own: PROGRAM, TAR, then 48 bytes: where the tar begins (8, little-endian), its
/// SHA-256 (32), and a mark (8).
/// </summary>
internal static class Payload
{
    private const int TrailerLength = 48;

    private static ReadOnlySpan<byte> Mark => "K3SSTAND"u8;

    /// <summary>Unpacks it into <c>data/HASH</c>, once, and makes <c>data/current</c> a link to it, as k3s does.</summary>
    /// <returns>The folder of programs.</returns>
    public static string Unpack(string program, Layout layout)
    {
        using var file = File.OpenRead(program);
        Span<byte> trailer = stackalloc byte[TrailerLength];
        file.Seek(-TrailerLength, SeekOrigin.End);
        file.ReadExactly(trailer);
        if (!trailer[40..].SequenceEqual(Mark))
            throw new InvalidDataException($"{program} carries no components: it was not put together by its build step.");
        var folder = Path.Combine(layout.Unpacked, Convert.ToHexStringLower(trailer[8..40]));
        if (!Directory.Exists(folder))
        {
            var aside = folder + "-tmp";
            if (Directory.Exists(aside))
                Directory.Delete(aside, recursive: true);
            Directory.CreateDirectory(aside);
            file.Seek(BinaryPrimitives.ReadInt64LittleEndian(trailer), SeekOrigin.Begin);
            TarFile.ExtractToDirectory(file, aside, overwriteFiles: false);
            Directory.Move(aside, folder);
        }

        if (new FileInfo(layout.Current).LinkTarget is not null)
            File.Delete(layout.Current);
        File.CreateSymbolicLink(layout.Current, folder);
        return Path.Combine(layout.Current, "bin");
    }

    /// <summary>Writes the trailer behind a tar that was appended to a program.</summary>
    public static void Seal(FileStream file, long start)
    {
        Span<byte> trailer = stackalloc byte[TrailerLength];
        BinaryPrimitives.WriteInt64LittleEndian(trailer, start);
        file.Seek(start, SeekOrigin.Begin);
        SHA256.HashData(file, trailer[8..40]);
        Mark.CopyTo(trailer[40..]);
        file.Seek(0, SeekOrigin.End);
        file.Write(trailer);
    }
}
