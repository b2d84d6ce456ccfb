using System.Buffers.Binary;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Kernels;

/// <summary>A kernel as it lies in the guest's memory before its first instruction.</summary>
/// <param name="Machine">The processor that it is for.</param>
/// <param name="LoadAddress">Physical address of its first byte.</param>
/// <param name="Entry">Physical address at which it is entered.</param>
/// <param name="Image">Its bytes. What the kernel expects to be zero behind them is not among them: a new guest's memory is zero.</param>
internal sealed record FlatKernel(KernelMachine Machine, ulong LoadAddress, ulong Entry, ReadOnlyMemory<byte> Image)
{
    // libkrun's memory of an AArch64 guest begins here (arch/src/aarch64/layout.rs, tag v1.17.0), and the image is entered at its first byte.
    private const ulong ArmMemory = 0x8000_0000;

    // https://docs.kernel.org/arch/arm64/booting.html: the magic number of the image's header.
    private const int ArmMagicOffset = 0x38;

    // A kernel is some tens of MB; a gap between its segments that makes more of it is a misreading.
    private const ulong MostBytes = 1UL << 30;

    /// <summary>Lays a <c>vmlinux</c> of x86-64 out by its physical addresses, as a loader would.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static FlatKernel OfVmlinux(byte[] file)
    {
        var elf = ElfFile.Parse(file);
        if (elf.Machine != (ushort)KernelMachine.X64 || elf.Loaded.Count == 0)
            throw new InvalidDataException("not a vmlinux of x86-64");
        var start = (ulong)elf.Loaded.Min(s => s.PhysicalAddress);
        var end = (ulong)elf.Loaded.Max(s => s.PhysicalAddress + s.FileSize);
        if (end - start > MostBytes || elf.Entry < start || elf.Entry >= end)
            throw new InvalidDataException($"the segments lie from {start:x} to {end:x}, and the entry at {elf.Entry:x}");
        var image = new byte[end - start];
        foreach (var segment in elf.Loaded)
            file.AsSpan(segment.Offset, segment.FileSize).CopyTo(image.AsSpan((int)((ulong)segment.PhysicalAddress - start)));
        return new FlatKernel(KernelMachine.X64, start, elf.Entry, image);
    }

    /// <summary>Takes an <c>Image</c> of AArch64, which is laid out already.</summary>
    /// <exception cref="InvalidDataException">It is none.</exception>
    public static FlatKernel OfArmImage(byte[] file)
    {
        if (file.Length < ArmMagicOffset + 4 || BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(ArmMagicOffset)) != 0x644d5241)
            throw new InvalidDataException("not an Image of AArch64");
        return new FlatKernel(KernelMachine.Arm64, ArmMemory, ArmMemory, file);
    }
}

/// <summary>Processors, by ELF's numbers for them (<c>e_machine</c>).</summary>
internal enum KernelMachine : ushort
{
    /// <summary>x86-64.</summary>
    X64 = 62,

    /// <summary>AArch64.</summary>
    Arm64 = 183,
}
