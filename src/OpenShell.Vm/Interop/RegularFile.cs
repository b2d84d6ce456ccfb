using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OpenShell.Vm.Interop;

/// <summary>Reads files whose names came from a user: a pipe or a device among them must neither block nor never end.</summary>
internal static class RegularFile
{
    private static int NonBlocking => OperatingSystem.IsMacOS() ? 0x4 : 0x800; // O_NONBLOCK

    /// <summary>The first bytes of a file, at most as many.</summary>
    /// <exception cref="InvalidDataException">It is empty, or no regular file.</exception>
    /// <exception cref="IOException">It cannot be opened or read.</exception>
    internal static byte[] Read(string path, int most)
    {
        using var handle = Open(path);
        var length = RandomAccess.GetLength(handle);
        if (length == 0)
            throw new InvalidDataException("it is empty");
        var bytes = new byte[Math.Min(length, most)];
        return bytes[..ReadFully(handle, 0, bytes)];
    }

    /// <summary>Opens a file to be read from its beginning.</summary>
    /// <exception cref="InvalidDataException">It is no regular file.</exception>
    /// <exception cref="IOException">It cannot be opened.</exception>
    internal static FileStream OpenRead(string path, int bufferSize = 4096) => new(Open(path), FileAccess.Read, bufferSize);

    /// <summary>What else it is; <see langword="null"/>: a regular file, though perhaps one that cannot be read.</summary>
    internal static string? WhyNot(string path)
    {
        try
        {
            using var handle = Open(path);
            return null;
        }
        catch (InvalidDataException e)
        {
            return e.Message;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static SafeFileHandle Open(string path)
    {
        if (Directory.Exists(path))
            throw new InvalidDataException("it is a folder");
        var descriptor = Libc.Open(path, NonBlocking | Libc.CloseOnExec);
        if (descriptor < 0)
            throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            return IsRegular(handle) ? handle : throw new InvalidDataException("it is no regular file");
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    // Pipes, sockets and terminals have no length at all; devices say that they have none, and yet give something.
    private static bool IsRegular(SafeFileHandle handle)
    {
        try
        {
            return RandomAccess.GetLength(handle) > 0 || RandomAccess.Read(handle, stackalloc byte[1], 0) == 0;
        }
        catch (NotSupportedException)
        {
            return false;
        }
    }

    /// <summary>The last bytes of a file, at most as many, with how many there are before them.</summary>
    /// <exception cref="InvalidDataException">It is no regular file.</exception>
    /// <exception cref="IOException">It cannot be opened or read.</exception>
    internal static (byte[] Bytes, long Skipped) ReadTail(string path, int most)
    {
        if (Directory.Exists(path))
            throw new InvalidDataException("it is a folder");
        var descriptor = Libc.Open(path, NonBlocking | Libc.CloseOnExec);
        if (descriptor < 0)
            throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        try
        {
            // A log grows while it is read: what is there now is what is wanted.
            var length = RandomAccess.GetLength(handle);
            var skipped = Math.Max(0, length - most);
            var bytes = new byte[length - skipped];
            return (bytes[..ReadFully(handle, skipped, bytes)], skipped);
        }
        catch (NotSupportedException)
        {
            throw new InvalidDataException("it is no regular file");
        }
    }

    /// <summary>Fills a buffer as far as the file goes.</summary>
    /// <returns>How many bytes there were.</returns>
    internal static int ReadFully(SafeFileHandle file, long at, Span<byte> buffer)
    {
        var done = 0;
        int read;
        while (done < buffer.Length && (read = RandomAccess.Read(file, buffer[done..], at + done)) > 0)
            done += read;
        return done;
    }
}
