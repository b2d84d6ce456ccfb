using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.InteropServices;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Planning;

/// <summary>
/// The smallest machine that KVM runs: one page of memory, one processor in flat 32-bit protected mode, ring 0, without paging: the mode in which a kernel's code
/// runs, so that a KVM which only runs user code natively is found out.
/// Numbers and layouts are those of linux/kvm.h for x86-64, frozen by the kernel's ABI promise.
/// </summary>
internal sealed unsafe class KvmTestMachine : IDisposable
{
    private const nuint GetApiVersion = 0xAE00; // KVM_GET_API_VERSION
    private const nuint CreateVm = 0xAE01; // KVM_CREATE_VM
    private const nuint GetVcpuMmapSize = 0xAE04; // KVM_GET_VCPU_MMAP_SIZE
    private const nuint CreateVcpu = 0xAE41; // KVM_CREATE_VCPU
    private const nuint SetUserMemoryRegion = 0x4020AE46; // KVM_SET_USER_MEMORY_REGION
    private const nuint RunVcpu = 0xAE80; // KVM_RUN
    private const nuint SetRegisters = 0x4090AE82; // KVM_SET_REGS
    private const nuint GetSpecialRegisters = 0x8138AE83; // KVM_GET_SREGS
    private const nuint SetSpecialRegisters = 0x4138AE84; // KVM_SET_SREGS

    private const int ApiVersion = 12;
    private const uint ExitHalt = 5; // KVM_EXIT_HLT
    private const int ExitReasonOffset = 8; // kvm_run.exit_reason

    private const ulong CodeAddress = 0x1000;
    private const int MemorySize = 0x1000;

    // kvm_regs: rax rbx rcx rdx rsi rdi rsp rbp r8..r15 rip rflags, 8 bytes each.
    private const int RegistersSize = 144;
    private const int Rip = 16 * 8;
    private const int Rflags = 17 * 8;
    private const ulong ReservedFlag = 2; // bit 1 of rflags is always set

    // kvm_sregs: cs ds es fs gs ss tr ldt (24 bytes each), gdt idt (16), cr0 ...
    private const int SpecialRegistersSize = 312;
    private const int SegmentSize = 24;
    private const int Cr0 = (8 * SegmentSize) + (2 * 16);
    private const ulong ProtectionEnable = 1;

    private const int ReadWriteProtection = 3; // PROT_READ | PROT_WRITE
    private const int Shared = 1; // MAP_SHARED
    private const int Anonymous = 0x20; // MAP_ANONYMOUS

    private readonly int _kvm;
    private readonly int _machine = -1;
    private readonly int _processor = -1;
    private readonly byte* _memory;
    private readonly byte* _shared;

    internal KvmTestMachine()
    {
        _kvm = Libc.Open("/dev/kvm", Libc.ReadWrite | Libc.CloseOnExec);
        if (_kvm < 0)
            throw new IOException("/dev/kvm cannot be opened: " + Marshal.GetLastPInvokeErrorMessage());
        try
        {
            if (Libc.Ioctl(_kvm, GetApiVersion, 0) != ApiVersion)
                throw new IOException("/dev/kvm is of another version");
            _machine = Checked(Libc.Ioctl(_kvm, CreateVm, 0), "create a machine");
            _memory = Map(-1, MemorySize, Shared | Anonymous);

            // slot 0, no flags, guest address, size, host address
            var region = stackalloc ulong[] { 0, CodeAddress, MemorySize, (ulong)_memory };
            Checked(Libc.Ioctl(_machine, SetUserMemoryRegion, (nint)region), "give it memory");

            _processor = Checked(Libc.Ioctl(_machine, CreateVcpu, 0), "give it a processor");
            _shared = Map(_processor, Checked(Libc.Ioctl(_kvm, GetVcpuMmapSize, 0), "size its state"), Shared);
            EnterProtectedMode();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Runs the loop and returns how long it took.</summary>
    internal TimeSpan Run(uint steps)
    {
        // mov ecx, steps; again: dec ecx; jnz again; hlt
        Span<byte> code = [0xB9, 0, 0, 0, 0, 0x49, 0x75, 0xFD, 0xF4];
        BinaryPrimitives.WriteUInt32LittleEndian(code[1..], steps);
        code.CopyTo(new Span<byte>(_memory, MemorySize));

        var registers = stackalloc byte[RegistersSize];
        new Span<byte>(registers, RegistersSize).Clear();
        *(ulong*)(registers + Rip) = CodeAddress;
        *(ulong*)(registers + Rflags) = ReservedFlag;
        Checked(Libc.Ioctl(_processor, SetRegisters, (nint)registers), "set its registers");

        var start = Stopwatch.GetTimestamp();
        int result;
        do
            result = Libc.Ioctl(_processor, RunVcpu, 0);
        while (result < 0 && Marshal.GetLastPInvokeError() == 4); // EINTR: a signal of the runtime's
        var elapsed = Stopwatch.GetElapsedTime(start);
        Checked(result, "run");

        var reason = *(uint*)(_shared + ExitReasonOffset);
        return reason == ExitHalt ? elapsed : throw new IOException($"/dev/kvm ended a loop of two instructions with exit reason {reason}");
    }

    /// <summary>Gives everything back; the mappings go with the process.</summary>
    public void Dispose()
    {
        foreach (var descriptor in (int[])[_processor, _machine, _kvm])
        {
            if (descriptor >= 0)
                _ = Libc.Close(descriptor);
        }
    }

    private void EnterProtectedMode()
    {
        var registers = stackalloc byte[SpecialRegistersSize];
        Checked(Libc.Ioctl(_processor, GetSpecialRegisters, (nint)registers), "read its registers");
        for (var segment = 0; segment < 6; segment++)
            FlatSegment(new Span<byte>(registers + (segment * SegmentSize), SegmentSize), isCode: segment == 0);
        *(ulong*)(registers + Cr0) |= ProtectionEnable;
        Checked(Libc.Ioctl(_processor, SetSpecialRegisters, (nint)registers), "set its mode");
    }

    // kvm_segment: base, limit, selector, then a byte each: type present dpl db s l g avl unusable padding. 4 GiB from 0, ring 0, 32 bits.
    private static void FlatSegment(Span<byte> segment, bool isCode)
    {
        segment.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(segment[8..], uint.MaxValue);
        BinaryPrimitives.WriteUInt16LittleEndian(segment[12..], isCode ? (ushort)0x08 : (ushort)0x10);
        segment[14] = isCode ? (byte)11 : (byte)3; // type: execute/read, or read/write; accessed
        segment[15] = 1; // present
        segment[17] = 1; // db: 32 bits
        segment[18] = 1; // s: code or data
        segment[20] = 1; // g: the limit counts pages
    }

    private static byte* Map(int descriptor, int size, int flags)
    {
        var address = Libc.Mmap(0, (nuint)size, ReadWriteProtection, flags, descriptor, 0);
        return address == -1 ? throw new IOException("no memory for a test machine: " + Marshal.GetLastPInvokeErrorMessage()) : (byte*)address;
    }

    private static int Checked(int result, string what) => result >= 0
        ? result
        : throw new IOException($"/dev/kvm opens, but cannot {what}: {Marshal.GetLastPInvokeErrorMessage()}");
}
