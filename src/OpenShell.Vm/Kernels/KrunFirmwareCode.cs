using System.Buffers.Binary;

namespace OpenShell.Vm.Kernels;

/// <summary>
/// The machine code of libkrunfw's two functions, <c>char *krunfw_get_kernel(size_t *load, size_t *entry, size_t *size)</c> and
/// <c>int krunfw_get_version(void)</c>. A dozen instructions: written here, a library for either processor is made without a compiler for it.
/// </summary>
internal static class KrunFirmwareCode
{
    /// <summary>libkrunfw's ABI, and the number in its file name.</summary>
    public const int AbiVersion = 5;

    /// <summary>The code of <c>krunfw_get_kernel</c>.</summary>
    /// <param name="kernel">What it tells.</param>
    /// <param name="size">Bytes of the image as it lies in the library.</param>
    /// <param name="at">Where the code lies in the library.</param>
    /// <param name="image">Where the image lies in the library; within 1 MiB of the code on AArch64.</param>
    public static byte[] GetKernel(FlatKernel kernel, ulong size, int at, int image) => kernel.Machine == KernelMachine.X64
        ?
        [
            0xF3, 0x0F, 0x1E, 0xFA, // endbr64
            0x48, 0xB8, .. Number(kernel.LoadAddress), // mov rax, LOAD
            0x48, 0x89, 0x07, // mov [rdi], rax
            0x48, 0xB8, .. Number(kernel.Entry), // mov rax, ENTRY
            0x48, 0x89, 0x06, // mov [rsi], rax
            0x48, 0xB8, .. Number(size), // mov rax, SIZE
            0x48, 0x89, 0x02, // mov [rdx], rax
            0x48, 0x8D, 0x05, .. Distance(image - (at + 50)), // lea rax, [rip + IMAGE], counted from the instruction's end
            0xC3, // ret
        ]
        :
        [
            .. Word(0xD503245F), // bti c
            .. Word(Literal(register: 3, 4, 36)), // ldr x3, LOAD
            .. Word(0xF9000003), // str x3, [x0]
            .. Word(Literal(register: 3, 12, 44)), // ldr x3, ENTRY
            .. Word(0xF9000023), // str x3, [x1]
            .. Word(Literal(register: 3, 20, 52)), // ldr x3, SIZE
            .. Word(0xF9000043), // str x3, [x2]
            .. Word(Address(register: 0, image - (at + 28))), // adr x0, IMAGE
            .. Word(0xD65F03C0), // ret
            .. Number(kernel.LoadAddress), .. Number(kernel.Entry), .. Number(size),
        ];

    /// <summary>The code of <c>krunfw_get_version</c>.</summary>
    public static byte[] GetVersion(KernelMachine machine) => machine == KernelMachine.X64
        ? [0xF3, 0x0F, 0x1E, 0xFA, 0xB8, AbiVersion, 0, 0, 0, 0xC3] // endbr64; mov eax, VERSION; ret
        : [.. Word(0xD503245F), .. Word(0x52800000 | (AbiVersion << 5)), .. Word(0xD65F03C0)]; // bti c; mov w0, VERSION; ret

    // Arm ARM C6.2: LDR (literal) and ADR count from the instruction itself, the former in words.
    private static uint Literal(uint register, int at, int target) => 0x58000000 | ((uint)((target - at) / 4) << 5) | register;

    private static uint Address(uint register, int distance) => distance is > -(1 << 20) and < (1 << 20)
        ? 0x10000000 | (((uint)distance & 3) << 29) | ((((uint)distance >> 2) & 0x7FFFF) << 5) | register
        : throw new ArgumentOutOfRangeException(nameof(distance), distance, "The image lies too far from the code.");

    private static byte[] Number(ulong value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Distance(int value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Word(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }
}
