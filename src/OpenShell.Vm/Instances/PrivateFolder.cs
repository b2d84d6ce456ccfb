using OpenShell.Vm.Faults;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Instances;

/// <summary>Folders that only their owner may enter. In a shared temporary directory somebody else may have made one first: that is noticed.</summary>
internal static unsafe class PrivateFolder
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Others = (UnixFileMode)0x3F; // rwxrwx of group and others

    private const int CurrentDirectory = -100; // AT_FDCWD
    private const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    private const uint UserIdMask = 0x8; // STATX_UID
    private const int UserIdOffset = 20; // stx_uid
    private const int StatxSize = 256;

    /// <summary>Makes the folder with mode 0700, or checks that it is this user's and closed to others.</summary>
    /// <exception cref="FaultException"><c>host.folder-not-private</c>, <c>host.folder-not-writable</c>.</exception>
    internal static void Ensure(string path)
    {
        Create(path);
        var info = new DirectoryInfo(path);
        if (info.LinkTarget is not null || OwnerOf(path) is { } owner && owner != Libc.EffectiveUserId())
        {
            throw new FaultException(new Fault
            {
                Code = "host.folder-not-private",
                What = $"The folder {path} is a link or belongs to another user.",
                Remedy = "Remove it, or set XDG_RUNTIME_DIR to a folder that is yours alone.",
            });
        }

        if ((info.UnixFileMode & Others) != 0)
            File.SetUnixFileMode(path, Owner);
    }

    /// <summary>Makes a folder and its parents, with the fault that names the folder when that is not allowed or not possible.</summary>
    internal static void Create(string path)
    {
        try
        {
            Directory.CreateDirectory(path, Owner);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(path, e);
        }
    }

    internal static FaultException NotWritable(string path, Exception cause) => new(
        new Fault
        {
            Code = "host.folder-not-writable",
            What = $"{path} cannot be written: {cause.Message}",
            Remedy = "Make it writable and see that the disk is not full, or point HOME, XDG_DATA_HOME, XDG_CACHE_HOME or XDG_RUNTIME_DIR elsewhere.",
        },
        cause);

    /// <summary>The numeric owner; unknown on macOS, whose temporary directory is private to the user anyway.</summary>
    internal static uint? OwnerOf(string path)
    {
        if (!OperatingSystem.IsLinux())
            return null;
        var buffer = stackalloc byte[StatxSize];
        return Libc.Statx(CurrentDirectory, path, NoFollow, UserIdMask, buffer) == 0 ? *(uint*)(buffer + UserIdOffset) : null;
    }
}
