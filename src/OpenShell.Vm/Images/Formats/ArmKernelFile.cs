using System.Buffers.Binary;
using System.IO.Compression;
using OpenShell.Vm.Kernels;

namespace OpenShell.Vm.Images.Formats;

/// <summary>
/// Takes the kernel proper (<c>Image</c>) out of what an AArch64 package calls <c>vmlinuz</c>: the image itself, the same through gzip, or a program for UEFI that has
/// it inside (https://docs.kernel.org/arch/arm64/booting.html; the header of the last: drivers/firmware/efi/libstub/zboot-header.S).
/// </summary>
internal static class ArmKernelFile
{
    private const int ZbootMagic = 4, PayloadOffset = 8, PayloadLength = 12, Compression = 24;

    /// <summary>The image, or <see langword="null"/> if the file is none of these or is compressed otherwise than with gzip.</summary>
    public static byte[]? Extract(ReadOnlySpan<byte> file)
    {
        if (KernelMagic.IsArmImage(file))
            return file.ToArray();
        if (IsGzip(file))
            return Inflated(file);
        if (file.Length < Compression + 4 || !file.StartsWith("MZ"u8) || !file[ZbootMagic..].StartsWith("zimg"u8) || !file[Compression..].StartsWith("gzip"u8))
            return null;
        var (start, length) = (BinaryPrimitives.ReadUInt32LittleEndian(file[PayloadOffset..]), BinaryPrimitives.ReadUInt32LittleEndian(file[PayloadLength..]));
        return start + (long)length <= file.Length && IsGzip(file.Slice((int)start, (int)length)) ? Inflated(file.Slice((int)start, (int)length)) : null;
    }

    private static bool IsGzip(ReadOnlySpan<byte> bytes) => bytes.StartsWith((ReadOnlySpan<byte>)[0x1f, 0x8b]);

    private static byte[]? Inflated(ReadOnlySpan<byte> compressed)
    {
        using var image = new MemoryStream();
        try
        {
            using var gzip = new GZipStream(new MemoryStream(compressed.ToArray()), CompressionMode.Decompress);
            gzip.CopyTo(image);
        }
        catch (InvalidDataException)
        {
            return null;
        }

        var bytes = image.ToArray();
        return KernelMagic.IsArmImage(bytes) ? bytes : null;
    }
}
