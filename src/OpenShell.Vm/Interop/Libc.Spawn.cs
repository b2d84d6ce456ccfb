using System.Runtime.InteropServices;

namespace OpenShell.Vm.Interop;

/// <summary>
/// posix_spawn (https://pubs.opengroup.org/onlinepubs/9799919799/functions/posix_spawn.html). System.Diagnostics.Process cannot give a child a log
/// file as its output, a process group of its own, or a thread that waits for it; all three matter for supervising.
/// </summary>
internal static unsafe partial class Libc
{
    /// <summary>
    /// Room for a <c>posix_spawnattr_t</c> or a <c>posix_spawn_file_actions_t</c>: glibc's are 336 and 80 bytes, musl's 336 and 80, macOS's are pointers.
    /// </summary>
    internal const int SpawnObjectSize = 512;

    /// <summary>Room for a <c>sigset_t</c>: 128 bytes in glibc and musl, 4 on macOS.</summary>
    internal const int SignalSetSize = 128;

    internal const short SpawnSetProcessGroup = 0x02; // POSIX_SPAWN_SETPGROUP, same everywhere
    internal const short SpawnSetSignalDefaults = 0x04; // POSIX_SPAWN_SETSIGDEF
    internal const short SpawnSetSignalMask = 0x08; // POSIX_SPAWN_SETSIGMASK
    internal const short SpawnCloseOnExecDefault = 0x4000; // POSIX_SPAWN_CLOEXEC_DEFAULT, macOS only

    /// <summary>POSIX_SPAWN_SETSID.</summary>
    internal static short SpawnSetSession => OperatingSystem.IsMacOS() ? (short)0x0400 : (short)0x80;

    /// <summary>O_WRONLY | O_APPEND | O_CREAT.</summary>
    internal static int AppendCreate => OperatingSystem.IsMacOS() ? 0x0001 | 0x0008 | 0x0200 : 1 | 0x400 | 0x40;

    [LibraryImport("libc", EntryPoint = "posix_spawn", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int PosixSpawn(int* pid, string path, byte* fileActions, byte* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    internal static partial int SpawnAttributesInit(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    internal static partial int SpawnAttributesDestroy(byte* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    internal static partial int SpawnAttributesSetFlags(byte* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    internal static partial int SpawnAttributesSetSignalDefaults(byte* attributes, byte* signalSet);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    internal static partial int SpawnAttributesSetSignalMask(byte* attributes, byte* signalSet);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    internal static partial int SpawnActionsInit(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    internal static partial int SpawnActionsDestroy(byte* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int SpawnActionsOpen(byte* actions, int fileDescriptor, string path, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    internal static partial int SpawnActionsDup2(byte* actions, int from, int to);

    /// <summary>glibc 2.34 and later; absent from musl.</summary>
    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    internal static partial int SpawnActionsCloseFrom(byte* actions, int first);

    [LibraryImport("libc", EntryPoint = "sigfillset")]
    internal static partial int SignalSetFill(byte* signalSet);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    internal static partial int SignalSetEmpty(byte* signalSet);
}
