using System.Runtime.InteropServices;

namespace OpenShell.Vm.Images;

/// <summary>The processors that guests have, by Debian's names; these are also those of the command line.</summary>
public static class Architectures
{
    /// <summary>x86-64.</summary>
    public const string Amd64 = "amd64";

    /// <summary>AArch64.</summary>
    public const string Arm64 = "arm64";

    /// <summary>This machine's.</summary>
    public static string Host { get; } = RuntimeInformation.OSArchitecture == Architecture.Arm64 ? Arm64 : Amd64;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<string> All { get; } = [Amd64, Arm64];

    /// <summary>What the kernel and QEMU call it: <c>x86_64</c>, <c>aarch64</c>.</summary>
    public static string KernelName(string architecture) => architecture == Arm64 ? "aarch64" : "x86_64";

    /// <summary>Whether the kernel's name of a processor is AArch64's.</summary>
    internal static bool IsArm(string kernelName) => kernelName == KernelName(Arm64);

    /// <summary>What the names of the programs of Debian's compiler for a processor begin with, on a host of another.</summary>
    internal static string CrossPrefix(string architecture) => KernelName(architecture) + "-linux-gnu-";
}
