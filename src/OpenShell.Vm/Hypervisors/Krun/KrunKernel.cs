using System.Buffers.Binary;
using OpenShell.Vm.Images.Formats;
using OpenShell.Vm.Kernels;

namespace OpenShell.Vm.Hypervisors.Krun;

/// <summary>
/// Recognizes what kind of file a kernel is: libkrun wants to be told (load_external_kernel in src/vmm/src/builder.rs at v1.17.4 says which it takes on which processor).
/// </summary>
internal static class KrunKernel
{
    // https://docs.kernel.org/arch/x86/boot.html
    private const int SetupSectors = 0x1f1, PayloadOffset = 0x248, Sector = 512;

    private const int HeaderSize = 0x250;

    /// <summary>x86 has no other way to find libkrun's devices than the kernel's command line, and Debian's kernels do not look there.</summary>
    private const string DevicesOnCommandLine = "CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES=y";

    /// <summary>Its format.</summary>
    /// <param name="path">The kernel.</param>
    /// <param name="isArm">Whether it is to run on arm64; else x86-64.</param>
    /// <exception cref="Faults.FaultException">libkrun cannot start it.</exception>
    internal static KrunKernelFormat FormatOf(string path, bool isArm)
    {
        try
        {
            using var file = File.OpenRead(path);
            if (!isArm && ConfigurationOf(path) is { } configuration && !configuration.Contains(DevicesOnCommandLine, StringComparer.Ordinal))
                throw KrunFaults.KernelLacks(path, DevicesOnCommandLine);
            return (isArm ? ArmFormat(file) : X86Format(file)) ?? throw KrunFaults.KernelUnknown(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw KrunFaults.KernelUnreadable(path, e);
        }
    }

    private static KrunKernelFormat? ArmFormat(Stream file)
    {
        var header = Read(file, 0, HeaderSize);
        if (KernelMagic.IsArmImage(header))
            return KrunKernelFormat.Raw;
        return KernelMagic.IsZbootOfGzip(header) ? KrunKernelFormat.PeGzip : null;
    }

    private static KrunKernelFormat? X86Format(Stream file)
    {
        var header = Read(file, 0, HeaderSize);
        if (KernelMagic.IsElf(header))
            return KrunKernelFormat.Elf;
        if (!KernelMagic.IsBzImage(header))
            return null;

        // 0 sectors mean 4, from old times.
        var sectors = header[SetupSectors] is 0 ? 4 : header[SetupSectors];
        var payload = Read(file, ((sectors + 1L) * Sector) + BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(PayloadOffset)), 4);
        return payload switch
        {
            _ when CompressionMagic.IsGzip(payload) => KrunKernelFormat.ImageGzip,
            _ when CompressionMagic.IsZstandard(payload) => KrunKernelFormat.ImageZstd,
            [(byte)'B', (byte)'Z', (byte)'h', _] => KrunKernelFormat.ImageBzip2,
            _ => null,
        };
    }

    /// <summary>The configuration that an artifact of a kernel has beside it.</summary>
    private static string[]? ConfigurationOf(string kernel)
    {
        var path = Path.Combine(Path.GetDirectoryName(kernel)!, Images.Recipes.KernelRecipe.Configuration);
        return File.Exists(path) ? File.ReadAllLines(path) : null;
    }

    /// <summary>That many bytes; zeros where the file ends before.</summary>
    private static byte[] Read(Stream file, long offset, int count)
    {
        var buffer = new byte[count];
        file.Position = offset;
        file.ReadAtLeast(buffer, count, throwOnEndOfStream: false);
        return buffer;
    }
}
