using System.Buffers.Binary;
using OpenShell.Vm.Kernels;

namespace OpenShell.Vm.Images.Formats;

/// <summary>
/// Takes the kernel proper (an ELF file, <c>vmlinux</c>) out of a compressed x86 kernel image, so that the guest need not decompress it at
/// every boot (https://docs.kernel.org/arch/x86/boot.html: the fields of the set-up header).
/// </summary>
internal static class BzImage
{
    private const int SetupSectors = 0x1f1, PayloadOffset = 0x248, PayloadLength = 0x24c;
    private const int Sector = 512;
    private const int PayloadVersion = 0x208; // the protocol version since which the payload's place is told
    private const int VersionField = 0x206;
    private const int TrailingSize = 4; // the build appends the size of the decompressed kernel to the payload

    /// <summary>The kernel proper, or <see langword="null"/> if the image is not one of these or is compressed otherwise than with LZ4.</summary>
    public static byte[]? Extract(ReadOnlySpan<byte> image)
    {
        if (image.Length < PayloadLength + 4 || !KernelMagic.IsBzImage(image) || BinaryPrimitives.ReadUInt16LittleEndian(image[VersionField..]) < PayloadVersion)
            return null;
        var sectors = image[SetupSectors] is 0 ? 4 : image[SetupSectors]; // 0 means 4, from old times
        var start = ((sectors + 1) * Sector) + BinaryPrimitives.ReadInt32LittleEndian(image[PayloadOffset..]);
        var length = BinaryPrimitives.ReadInt32LittleEndian(image[PayloadLength..]);
        if (start < 0 || length < TrailingSize || start + (long)length > image.Length)
            return null;
        var payload = image.Slice(start, length);
        if (!Lz4.IsLegacyFrame(payload))
            return null;
        var size = BinaryPrimitives.ReadInt32LittleEndian(payload[^TrailingSize..]);
        var kernel = Lz4.DecodeLegacyFrame(payload[..^TrailingSize], size);
        return KernelMagic.IsElf(kernel) ? kernel : null;
    }
}
