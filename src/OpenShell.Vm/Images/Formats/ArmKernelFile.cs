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
    private const int PayloadOffset = 8, PayloadLength = 12;

    /// <summary>The image, or <see langword="null"/> if the file is none of these or is compressed otherwise than with gzip.</summary>
    public static byte[]? Extract(ReadOnlySpan<byte> file)
    {
        if (KernelMagic.IsArmImage(file))
            return file.ToArray();
        if (CompressionMagic.IsGzip(file))
            return Inflated(file);
        if (!KernelMagic.IsZbootOfGzip(file))
            return null;
        var (start, length) = (BinaryPrimitives.ReadUInt32LittleEndian(file[PayloadOffset..]), BinaryPrimitives.ReadUInt32LittleEndian(file[PayloadLength..]));
        return start + (long)length <= file.Length && CompressionMagic.IsGzip(file.Slice((int)start, (int)length)) ? Inflated(file.Slice((int)start, (int)length)) : null;
    }

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
