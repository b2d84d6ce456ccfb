using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Formats;
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

    // Besides the plain forms: an EFI stub ("MZ"), and gzip.
    private static bool IsKernel(ReadOnlySpan<byte> head) =>
        KernelMagic.IsElf(head) || KernelMagic.IsBzImage(head) || KernelMagic.IsArmImage(head) || head.StartsWith("MZ"u8) || CompressionMagic.IsGzip(head);
}
