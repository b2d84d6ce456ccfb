using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OpenShell.Vm.Interop;

/// <summary>
/// The C library's calls that .NET has no wrapper for. Only calls whose arguments are plain numbers, strings and caller-owned buffers, so that the
/// same declarations are right for glibc, musl and macOS. <c>open</c> and <c>ioctl</c> are variadic in C: <c>open</c> is only called without O_CREAT (no
/// variadic argument then), and <c>ioctl</c> only on Linux, whose calling conventions pass a variadic pointer like an ordinary one.
/// </summary>
internal static unsafe partial class Libc
{
    internal const int LockShared = 1; // LOCK_SH
    internal const int LockExclusive = 2; // LOCK_EX
    internal const int LockNonBlocking = 4; // LOCK_NB
    internal const int LockRelease = 8; // LOCK_UN

    internal const int ReadWrite = 2; // O_RDWR

    /// <summary>O_CLOEXEC: the only flag used here whose number differs between the systems.</summary>
    internal static int CloseOnExec => OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000;

    /// <summary>EWOULDBLOCK.</summary>
    internal static int WouldBlock => OperatingSystem.IsMacOS() ? 35 : 11;

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int fileDescriptor);

    [LibraryImport("libc", EntryPoint = "flock", SetLastError = true)]
    internal static partial int Flock(int fileDescriptor, int operation);

    /// <summary>madvise(2).</summary>
    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    internal static partial int Advise(nint start, nuint length, int advice);

    /// <summary>lseek(2). It moves the position that calls without an offset use; those here give theirs.</summary>
    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(int fileDescriptor, long offset, int from);

    /// <summary>Where data begins at or behind an offset: what lies between is a hole, and zeros. <see cref="long.MaxValue"/>: only a hole follows. Where the file system does not tell, at the offset itself.</summary>
    internal static long NextData(SafeFileHandle file, long offset)
    {
        // SEEK_DATA
        var data = Seek((int)file.DangerousGetHandle(), offset, OperatingSystem.IsMacOS() ? 4 : 3);
        const int NoSuchAddress = 6; // ENXIO
        return data >= 0 ? data : Marshal.GetLastPInvokeError() == NoSuchAddress ? long.MaxValue : offset;
    }

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Fsync(int fileDescriptor);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int pid, int signal);

    /// <summary>pidfd_open(2), pidfd_send_signal(2): the same numbers on every architecture that Linux runs .NET on. glibc has wrappers only since 2.36.</summary>
    internal const nint PidFdOpen = 434, PidFdSendSignal = 424;

    /// <summary>syscall(2), Linux only: variadic in C, where its calling conventions pass whole numbers like ordinary arguments.</summary>
    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    internal static partial nint SystemCall(nint number, nint first, nint second, nint third, nint fourth);

    /// <summary>prctl(2), Linux only, and variadic like <see cref="SystemCall"/>: all five are whole numbers.</summary>
    [LibraryImport("libc", EntryPoint = "prctl", SetLastError = true)]
    internal static partial int ProcessControl(int option, nint second, nint third, nint fourth, nint fifth);

    /// <summary>clonefile(2), macOS only: a copy that shares its blocks with the original. By its manual page; not run yet.</summary>
    [LibraryImport("libc", EntryPoint = "clonefile", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int CloneFile(string from, string to, uint flags);

    /// <summary>link(2): a second name for a file.</summary>
    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Link(string from, string to);

    /// <summary>SIG_DFL.</summary>
    internal const nint DefaultHandler = 0;

    [LibraryImport("libc", EntryPoint = "signal")]
    internal static partial nint SetSignalHandler(int signal, nint handler);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUserId();

    /// <summary>https://man7.org/linux/man-pages/man2/statx.2.html: unlike <c>stat</c>, its structure is the same on every architecture.</summary>
    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Statx(int directory, string path, int flags, uint mask, byte* buffer);

    /// <summary>A <c>timespec</c> of 64-bit systems: seconds and nanoseconds, eight bytes each.</summary>
    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    internal static partial int ClockGetTime(int clock, long* time);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    internal static partial int Ioctl(int fileDescriptor, nuint request, nint argument);

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    internal static partial nint Mmap(nint address, nuint length, int protection, int flags, int fileDescriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap", SetLastError = true)]
    internal static partial int Munmap(nint address, nuint length);

    /// <summary>mincore(2): of each page one byte, whose lowest bit says whether it is in memory.</summary>
    [LibraryImport("libc", EntryPoint = "mincore", SetLastError = true)]
    internal static partial int InMemory(nint address, nuint length, byte* pages);

    [LibraryImport("libc", EntryPoint = "waitid", SetLastError = true)]
    internal static partial int WaitId(int idType, int id, byte* signalInformation, int options);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    internal static partial int WaitPid(int pid, int* status, int options);
}
