using System.Runtime.InteropServices;

namespace OpenShell.Vm.Guest.Native;

/// <summary>
/// The calls of glibc that .NET has no wrapper for. Safe to call from any thread; every pointer is only used during the call.
/// Numbers are those of Linux on x86-64 and arm64, where they agree unless said otherwise.
/// </summary>
internal static partial class Linux
{
    private const string Library = "libc.so.6";

    // mount(2), include/uapi/linux/mount.h
    public const nuint MsReadOnly = 1, MsNoSuid = 2, MsNoDev = 4, MsNoExec = 8, MsNoAtime = 1024, MsBind = 4096, MsMove = 8192, MsRecursive = 16384,
        MsShared = 1 << 20, MsRemount = 32;

    public const int MntDetach = 2;

    // open(2)
    public const int OpenReadOnly = 0, OpenWriteOnly = 1, OpenReadWrite = 2, OpenNoControllingTerminal = 0x100, OpenNonBlocking = 0x800, OpenCloseOnExec = 0x80000;

    // setns(2), include/uapi/linux/sched.h
    public const int NamespaceOfNetwork = 0x40000000;

    // reboot(2), include/uapi/linux/reboot.h
    public const int RebootPowerOff = 0x4321FEDC, RebootRestart = 0x01234567;

    public const int ClockRealtime = 0, ClockBoottime = 7;

    public const int ResourceOpenFiles = 7;

    public const int SignalHangUp = 1, SignalKill = 9, SignalUser1 = 10, SignalTerminate = 15;

    [LibraryImport(Library, EntryPoint = "mount", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Mount(string? source, string target, string? type, nuint flags, string? data);

    [LibraryImport(Library, EntryPoint = "umount2", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Unmount(string target, int flags);

    [LibraryImport(Library, EntryPoint = "chroot", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Chroot(string path);

    [LibraryImport(Library, EntryPoint = "chdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeDirectory(string path);

    [LibraryImport(Library, EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Execute(string path, string?[] argumentsEndingInNull);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags, int mode);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int descriptor);

    [LibraryImport(Library, EntryPoint = "dup2", SetLastError = true)]
    public static partial int Duplicate(int from, int to);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    public static unsafe partial nint Write(int descriptor, byte* data, nuint length);

    [LibraryImport(Library, EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectory(string path, int mode);

    [LibraryImport(Library, EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeMode(string path, int mode);

    [LibraryImport(Library, EntryPoint = "umask")]
    public static partial int SetCreationMask(int mask);

    /// <summary>glibc's <c>syscall</c>; variadic, but implemented in assembly that only moves registers, so a fixed signature is right on both architectures.</summary>
    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint SystemCall(nint number, nint first, string second, nint third);

    [LibraryImport(Library, EntryPoint = "statfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static unsafe partial int StatFileSystem(string path, void* buffer);

    [LibraryImport(Library, EntryPoint = "sync")]
    public static partial void Sync();

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    public static unsafe partial nint Read(int descriptor, byte* data, nuint length);

    /// <summary>malloc_trim(3): gives free memory of the C library's heap back to the kernel.</summary>
    [LibraryImport(Library, EntryPoint = "malloc_trim")]
    public static partial int TrimHeap(nuint keep);

    [LibraryImport(Library, EntryPoint = "syncfs", SetLastError = true)]
    public static partial int SyncFileSystem(int descriptor);

    [LibraryImport(Library, EntryPoint = "reboot", SetLastError = true)]
    public static partial int Reboot(int command);

    [LibraryImport(Library, EntryPoint = "sethostname", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetHostName(string name, nuint length);

    [LibraryImport(Library, EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport(Library, EntryPoint = "clock_gettime", SetLastError = true)]
    public static partial int ClockGetTime(int clock, out TimeSpec time);

    [LibraryImport(Library, EntryPoint = "clock_settime", SetLastError = true)]
    public static partial int ClockSetTime(int clock, in TimeSpec time);

    [LibraryImport(Library, EntryPoint = "setrlimit", SetLastError = true)]
    public static partial int SetResourceLimit(int resource, in ResourceLimit limit);

    [LibraryImport(Library, EntryPoint = "socket", SetLastError = true)]
    public static partial int Socket(int domain, int type, int protocol);

    /// <summary>setns(2): of the calling thread alone.</summary>
    [LibraryImport(Library, EntryPoint = "setns", SetLastError = true)]
    public static partial int EnterNamespace(int descriptor, int kind);

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    public static unsafe partial int Ioctl(int descriptor, nuint request, void* argument);

    /// <summary><c>struct timespec</c> on 64-bit Linux.</summary>
    public struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    /// <summary><c>struct rlimit</c> on 64-bit Linux.</summary>
    public struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
