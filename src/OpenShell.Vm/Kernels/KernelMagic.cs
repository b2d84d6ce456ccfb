namespace OpenShell.Vm.Kernels;

/// <summary>What files of kernels begin like.</summary>
internal static class KernelMagic
{
    // https://docs.kernel.org/arch/x86/boot.html and https://docs.kernel.org/arch/arm64/booting.html
    private const int BootMagic = 0x202, ArmMagic = 0x38;

    /// <summary>An ELF file: <c>vmlinux</c>.</summary>
    internal static bool IsElf(ReadOnlySpan<byte> file) => file.StartsWith("\x7f\x45LF"u8);

    /// <summary>An x86 kernel image with its set-up header: <c>bzImage</c>.</summary>
    internal static bool IsBzImage(ReadOnlySpan<byte> file) => file.Length > BootMagic && file[BootMagic..].StartsWith("HdrS"u8);

    /// <summary>An AArch64 <c>Image</c>.</summary>
    internal static bool IsArmImage(ReadOnlySpan<byte> file) => file.Length > ArmMagic && file[ArmMagic..].StartsWith("ARM\x64"u8);
}
