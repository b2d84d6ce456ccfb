namespace OpenShell.Vm.Kernels;

/// <summary>What files of kernels begin like.</summary>
internal static class KernelMagic
{
    // https://docs.kernel.org/arch/x86/boot.html and https://docs.kernel.org/arch/arm64/booting.html
    private const int BootMagic = 0x202, ArmMagic = 0x38;

    // drivers/firmware/efi/libstub/zboot-header.S
    private const int ZbootMagic = 4, ZbootCompression = 0x18;

    /// <summary>An ELF file: <c>vmlinux</c>.</summary>
    internal static bool IsElf(ReadOnlySpan<byte> file) => file.StartsWith("\x7f\x45LF"u8);

    /// <summary>An x86 kernel image with its set-up header: <c>bzImage</c>.</summary>
    internal static bool IsBzImage(ReadOnlySpan<byte> file) => file.Length > BootMagic && file[BootMagic..].StartsWith("HdrS"u8);

    /// <summary>An AArch64 <c>Image</c>.</summary>
    internal static bool IsArmImage(ReadOnlySpan<byte> file) => file.Length > ArmMagic && file[ArmMagic..].StartsWith("ARM\x64"u8);

    /// <summary>A program for UEFI that has an AArch64 <c>Image</c> inside, compressed with gzip.</summary>
    internal static bool IsZbootOfGzip(ReadOnlySpan<byte> file) =>
        file.Length > ZbootCompression && file.StartsWith("MZ"u8) && file[ZbootMagic..].StartsWith("zimg"u8) && file[ZbootCompression..].StartsWith("gzip"u8);
}
