using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Kernels;

/// <summary>Whether a file can be a kernel, by its first bytes. Looks, and changes nothing.</summary>
public static class KernelFileCheck
{
    private const int HeaderLength = 0x210;

    /// <summary>What is wrong with the file that <c>--kernel</c> names; <see langword="null"/>: nothing that shows, or it is a name.</summary>
    public static Fault? Fault(string kernel)
    {
        ArgumentNullException.ThrowIfNull(kernel);
        if (!KernelNames.IsFile(kernel))
            return null;
        if (!File.Exists(kernel) && !Directory.Exists(kernel))
            return Make("there is no such file");
        try
        {
            return IsKernel(RegularFile.Read(kernel, HeaderLength)) ? null : Make("it is no kernel");
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            return Make(e.Message);
        }

        Fault Make(string why) => InstanceValidator.Usage("kernel.file", $"--kernel {kernel}: {why}.", "Give the path of a vmlinux, a bzImage or an AArch64 Image, or one of the names debian and custom.");
    }

    // ELF (vmlinux); the boot protocol's header (bzImage, https://docs.kernel.org/arch/x86/boot.html); AArch64's (https://docs.kernel.org/arch/arm64/booting.html); its EFI stub; gzip.
    private static bool IsKernel(ReadOnlySpan<byte> head) =>
        head.StartsWith("\x7f\x45LF"u8) || head.StartsWith("MZ"u8) || head.StartsWith<byte>([0x1f, 0x8b])
        || (head.Length >= 0x206 && head[0x202..].StartsWith("HdrS"u8))
        || (head.Length >= 60 && head[56..].StartsWith("ARM\x64"u8));
}
