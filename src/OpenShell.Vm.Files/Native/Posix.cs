using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OpenShell.Vm.Files.Native;

/// <summary>
/// The calls of glibc that work relative to an open folder: .NET's own take paths, and a path is looked up anew, link by link, each time. Numbers are Linux's on x86-64 and
/// arm64 (https://man7.org/linux/man-pages/man2/openat.2.html and its neighbours); those that differ between the two are told apart.
/// </summary>
internal static unsafe partial class Posix
{
    internal const int CurrentFolder = -100; // AT_FDCWD
    internal const int NoFollowAt = 0x100; // AT_SYMLINK_NOFOLLOW
    internal const int EmptyPath = 0x1000; // AT_EMPTY_PATH
    internal const int RemoveFolder = 0x200; // AT_REMOVEDIR

    internal const int ReadOnly = 0, WriteOnly = 1, Create = 0x40, Exclusive = 0x80, NoTerminal = 0x100, NonBlocking = 0x800, CloseOnExec = 0x80000;

    /// <summary>O_DIRECTORY and O_NOFOLLOW have other numbers on arm64.</summary>
    internal static readonly int Folder = IsArm ? 0x4000 : 0x10000;

    /// <inheritdoc cref="Folder"/>
    internal static readonly int NoFollow = IsArm ? 0x8000 : 0x20000;

    internal const int NotPermitted = 1, NoEntry = 2, NoData = 6, AccessDenied = 13, AlreadyThere = 17, NotFolder = 20, IsFolder = 21, Invalid = 22, TooLarge = 27, NoSpace = 28, ReadOnlySystem = 30,
        NameTooLong = 36, NotEmpty = 39, TooManyLinks = 40, OverQuota = 122;

    internal const int SeekData = 3, SeekHole = 4;

    internal const uint BasicStatistics = 0x7ff; // STATX_BASIC_STATS

    private const string Library = "libc.so.6";

    private static bool IsArm => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>The text of an error.</summary>
    internal static string Message(int error) => Marshal.GetPInvokeErrorMessage(error).ToLowerInvariant();

    // Variadic in C for the mode alone, which both calling conventions pass like an ordinary argument.
    [LibraryImport(Library, EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int OpenAt(int folder, string path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int MakeFolderAt(int folder, string path, uint mode);

    [LibraryImport(Library, EntryPoint = "symlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int LinkAt(string target, int folder, string path);

    [LibraryImport(Library, EntryPoint = "readlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint ReadLinkAt(int folder, string path, byte* buffer, nuint size);

    [LibraryImport(Library, EntryPoint = "renameat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int RenameAt(int oldFolder, string oldPath, int newFolder, string newPath);

    [LibraryImport(Library, EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int RemoveAt(int folder, string path, int flags);

    [LibraryImport(Library, EntryPoint = "fchmod", SetLastError = true)]
    internal static partial int ChangeMode(int descriptor, uint mode);

    [LibraryImport(Library, EntryPoint = "futimens", SetLastError = true)]
    internal static partial int SetTimes(int descriptor, TimeSpec* accessAndModification);

    [LibraryImport(Library, EntryPoint = "utimensat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SetTimesAt(int folder, string path, TimeSpec* accessAndModification, int flags);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int StatAt(int folder, string path, int flags, uint mask, byte* result);

    [LibraryImport(Library, EntryPoint = "lseek", SetLastError = true)]
    internal static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport(Library, EntryPoint = "fdopendir", SetLastError = true)]
    internal static partial nint OpenFolderStream(int descriptor);

    [LibraryImport(Library, EntryPoint = "readdir", SetLastError = true)]
    internal static partial byte* ReadFolder(nint stream);

    [LibraryImport(Library, EntryPoint = "closedir", SetLastError = true)]
    internal static partial int CloseFolderStream(nint stream);

    /// <summary><c>struct timespec</c> on 64-bit Linux.</summary>
    internal struct TimeSpec
    {
        internal const long Omit = 0x3ffffffe; // UTIME_OMIT
        internal const long Now = 0x3fffffff; // UTIME_NOW

        internal long Seconds;
        internal long Nanoseconds;
    }
}
