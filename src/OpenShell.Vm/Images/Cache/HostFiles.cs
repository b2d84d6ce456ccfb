using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace OpenShell.Vm.Images.Cache;

/// <summary>What .NET's file API lacks: durable folders, inodes; and hashing of files.</summary>
internal static partial class HostFiles
{
    /// <summary>The SHA-256 of a file in lower-case hexadecimal.</summary>
    public static async Task<string> Sha256Async(string path, CancellationToken cancellationToken, Action<long>? onBytes = null)
    {
        await using var stream = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read, BufferSize = 0, Options = FileOptions.SequentialScan });
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
        {
            hash.AppendData(buffer, 0, read);
            onBytes?.Invoke(read);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Writes a small file so that either the old or the new content is there after a crash.</summary>
    public static async Task WriteWholeAsync(string path, ReadOnlyMemory<byte> content, CancellationToken cancellationToken, UnixFileMode? mode = null)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var aside = $"{path}.new-{Guid.NewGuid():N}";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (mode is not null && !OperatingSystem.IsWindows())
            options.UnixCreateMode = mode;
        await using (var stream = new FileStream(aside, options))
        {
            await stream.WriteAsync(content, cancellationToken).ConfigureAwait(false);
            stream.Flush(flushToDisk: true);
        }

        File.Move(aside, path, overwrite: true);
        SyncFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Forces a file's content to disk.</summary>
    public static void SyncFile(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>Forces the names in a folder to disk: without it, a rename may be lost in a power cut although the file's content is there.</summary>
    public static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = Open(folder, OpenReadOnly);
        if (descriptor < 0)
            return;
        _ = FileSync(descriptor);
        _ = Close(descriptor);
    }

    /// <summary>Size, inode and times; <see langword="null"/> if there is no such file.</summary>
    public static FileStamp? Stamp(string path)
    {
        var info = new FileInfo(path);
        if (!info.Exists)
            return null;
        if (OperatingSystem.IsLinux() && StatX(CurrentFolder, path, 0, BasicStats, out var stat) == 0)
            return new FileStamp((long)stat.Size, stat.Inode, stat.Modified.Nanoseconds, stat.Changed.Nanoseconds);

        // Elsewhere there is no inode to be had from .NET; size and modification time remain.
        return new FileStamp(info.Length, 0, (info.LastWriteTimeUtc - DateTime.UnixEpoch).Ticks * 100, 0);
    }

    /// <summary>Bytes that a file takes on the disk, holes left out; its length where that is not to be had.</summary>
    public static long AllocatedBytes(string path) =>
        OperatingSystem.IsLinux() && StatX(CurrentFolder, path, 0, BasicStats, out var stat) == 0 ? (long)stat.Blocks * BlockUnit : new FileInfo(path) is { Exists: true } info ? info.Length : 0;

    /// <summary>Bytes that are free again when a file, or a folder with all in it, is removed: what it takes on the disk, holes left out, and nothing for a file that has another name elsewhere.</summary>
    public static long FreedBytes(string path) => Directory.Exists(path)
        ? new DirectoryInfo(path)
            .EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true })
            .Sum(file => FreedBytes(file.FullName))
        : OperatingSystem.IsLinux() && StatX(CurrentFolder, path, 0, BasicStats, out var stat) == 0 && stat.Links > 1 ? 0 : AllocatedBytes(path);

    /// <summary>Bytes that an ordinary user can still write on the file system that holds this (perhaps not yet existing) folder.</summary>
    public static long FreeBytes(string folder)
    {
        var existing = folder;
        while (!Directory.Exists(existing))
            existing = Path.GetDirectoryName(existing)!;
        return new DriveInfo(existing).AvailableFreeSpace;
    }

    /// <summary>Deletes a folder with all in it, read-only folders included (Go's module cache makes such). Missing is fine.</summary>
    public static void DeleteFolder(string folder)
    {
        if (!Directory.Exists(folder))
            return;
        if (MountBelow(folder) is { } mount)
            throw new IOException($"{mount} is mounted; nothing below {folder} was deleted");
        if (!OperatingSystem.IsWindows())
        {
            foreach (var inner in Directory.EnumerateDirectories(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }))
                File.SetUnixFileMode(inner, File.GetUnixFileMode(inner) | UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        Directory.Delete(folder, recursive: true);
    }

    // What is mounted below a folder is somebody else's, and would be deleted with it.
    private static string? MountBelow(string folder) => OperatingSystem.IsLinux()
        ? File.ReadLines("/proc/self/mounts").Select(line => line.Split(' ')[1]).FirstOrDefault(m => m.StartsWith(folder.TrimEnd('/') + "/", StringComparison.Ordinal))
        : null;

    /// <summary>Bytes of all regular files under a folder.</summary>
    public static long FolderSize(string folder) => Directory.Exists(folder)
        ? new DirectoryInfo(folder)
            .EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true })
            .Sum(f => f.Length)
        : 0;

    // statx (https://man7.org/linux/man-pages/man2/statx.2.html): one layout on every architecture, unlike stat. glibc >= 2.28, musl >= 1.2.1.
    private const int CurrentFolder = -100; // AT_FDCWD
    private const uint BasicStats = 0x7ff;  // STATX_BASIC_STATS
    private const long BlockUnit = 512; // stx_blocks, whatever the file system's own blocks are
    private const int OpenReadOnly = 0x80000; // O_RDONLY | O_CLOEXEC (x86-64 and arm64 Linux)

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct StatXResult
    {
        [FieldOffset(16)] public uint Links;
        [FieldOffset(32)] public ulong Inode;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(48)] public ulong Blocks;
        [FieldOffset(96)] public StatXTime Changed;
        [FieldOffset(112)] public StatXTime Modified;
    }

    [StructLayout(LayoutKind.Explicit, Size = 16)]
    private struct StatXTime
    {
        [FieldOffset(0)] public long WholeSeconds;
        [FieldOffset(8)] public uint Fraction;

        public readonly long Nanoseconds => (WholeSeconds * 1_000_000_000) + Fraction;
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, out StatXResult result);

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int FileSync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
