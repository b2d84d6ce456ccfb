using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OpenShell.Vm.Instances;

/// <summary>Files that are there whole or not at all: written aside, then renamed over the old one (https://man7.org/linux/man-pages/man2/rename.2.html).</summary>
internal static class AtomicFile
{
    /// <summary>Only the owner may read what an instance keeps: configuration may name secrets, logs may show them.</summary>
    internal const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Replaces a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="content">All of its new content.</param>
    /// <param name="durable">Also survive a power loss: costs an fsync.</param>
    /// <param name="mode">Who may read it; <see langword="null"/>: <see cref="OwnerOnly"/>.</param>
    internal static void Write(string path, ReadOnlySpan<byte> content, bool durable = true, UnixFileMode? mode = null)
    {
        var aside = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            using (var stream = new FileStream(aside, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                BufferSize = 0,
                UnixCreateMode = mode ?? OwnerOnly,
            }))
            {
                stream.Write(content);
                if (durable)
                    stream.Flush(flushToDisk: true);
            }

            File.Move(aside, path, overwrite: true);
            if (durable)
                SyncFolder(Path.GetDirectoryName(path)!);
        }
        catch
        {
            File.Delete(aside);
            throw;
        }
    }

    internal static void WriteJson<T>(string path, T value, JsonTypeInfo<T> type, bool durable = true) =>
        Write(path, JsonSerializer.SerializeToUtf8Bytes(value, type), durable);

    /// <summary>A rename is only durable once its folder is synced. Best effort: not every file system lets a folder be opened for that.</summary>
    private static void SyncFolder(string folder)
    {
        var descriptor = Interop.Libc.Open(folder, Interop.Libc.CloseOnExec);
        if (descriptor < 0)
            return;
        _ = Interop.Libc.Fsync(descriptor);
        _ = Interop.Libc.Close(descriptor);
    }
}
