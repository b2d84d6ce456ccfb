using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>Sends and takes files.</summary>
internal static class FileService
{
    private const int ModeBits = 0xFFF; // 07777

    public static async Task ReadAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        var request = stream.ReadHeader(ProtocolJson.Default.FileReadRequest);
        RequireAbsolute(stream, request.Path);
        using var file = OpenForReading(request.Path);
        var description = Describe(file, request.Path);
        await stream.WriteAsync(MessageKinds.FileDescription, description, ProtocolJson.Default.FileDescription, cancellationToken).ConfigureAwait(false);
        var buffer = ArrayPool<byte>.Shared.Rent(ProtocolLimits.MaxPayload);
        try
        {
            for (long offset = 0; ;)
            {
                var count = Try(() => RandomAccess.Read(file, buffer.AsSpan(0, ProtocolLimits.MaxPayload), offset));
                if (count == 0)
                    break;
                await stream.WriteAsync(MessageKinds.FileData, buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                offset += count;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public static async Task WriteAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        var request = stream.ReadHeader(ProtocolJson.Default.FileWriteRequest);
        RequireAbsolute(stream, request.Path);
        if ((request.Mode & ~ModeBits) != 0)
            throw ServiceJson.Invalid(stream.Service, $"{request.Mode} is not a mode.");
        // Beside its place, so that the rename cannot cross file systems.
        var aside = Try(() => Aside(request.Path));
        long size;
        try
        {
            using (var file = Try(() => File.OpenHandle(aside, FileMode.CreateNew, FileAccess.Write)))
            {
                size = await ReceiveAsync(stream, file, cancellationToken).ConfigureAwait(false);
                Try(() =>
                {
                    File.SetUnixFileMode(file, (UnixFileMode)request.Mode);
                    RandomAccess.FlushToDisk(file);
                    return 0;
                });
            }
            Try(() =>
            {
                File.Move(aside, request.Path, overwrite: true);
                return 0;
            });
        }
        catch
        {
            File.Delete(aside);
            throw;
        }
        await stream.WriteAsync(MessageKinds.FileWritten, new FileWritten(size), ProtocolJson.Default.FileWritten, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<long> ReceiveAsync(MuxStream stream, SafeFileHandle file, CancellationToken cancellationToken)
    {
        long size = 0;
        while (await stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } message)
        {
            using (message)
            {
                if (message.Kind != MessageKinds.FileData)
                    throw ServiceJson.Invalid(stream.Service, $"a message of kind {message.Kind}.");
                Try(() =>
                {
                    RandomAccess.Write(file, message.Payload.Span, size);
                    return 0;
                });
                size += message.Payload.Length;
            }
        }
        return size;
    }

    private static string Aside(string path)
    {
        var folder = Path.GetDirectoryName(path) ?? throw new IOException($"{path}: is a directory");
        Directory.CreateDirectory(folder);
        return Path.Combine(folder, $".openshell-{Guid.NewGuid():N}");
    }

    private static SafeFileHandle OpenForReading(string path)
    {
        // Non-blocking, since a FIFO would wait here for its writer.
        var fd = Libc.open(path, Libc.O_RDONLY | Libc.O_NONBLOCK | Libc.O_NOCTTY | Libc.O_CLOEXEC, 0);
        if (fd >= 0)
            return new SafeFileHandle(fd, ownsHandle: true);
        var errno = Marshal.GetLastPInvokeError();
        var code = errno switch
        {
            Libc.ENOENT or Libc.ENOTDIR => ProtocolCode.NotFound,
            Libc.EACCES or Libc.EPERM => ProtocolCode.Denied,
            _ => ProtocolCode.Failed,
        };
        throw new MuxStreamException(code, $"{path}: {Libc.Message(errno)}");
    }

    /// <exception cref="MuxStreamException">It is not a regular file.</exception>
    private static unsafe FileDescription Describe(SafeFileHandle file, string path)
    {
        var info = stackalloc byte[256];
        if (Libc.statx(file, string.Empty, Libc.AT_EMPTY_PATH, Libc.STATX_BASIC_STATS, info) != 0)
            throw new MuxStreamException(ProtocolCode.Failed, $"{path}: {Libc.Message(Marshal.GetLastPInvokeError())}");
        // struct statx of statx(2): stx_mode at 28, stx_size at 40.
        var mode = *(ushort*)(info + 28);
        return (mode & 0xF000) == 0x8000
            ? new FileDescription(*(long*)(info + 40), mode & ModeBits)
            : throw new MuxStreamException(ProtocolCode.Denied, $"{path}: not a regular file");
    }

    private static void RequireAbsolute(MuxStream stream, string path)
    {
        if (!path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal))
            throw ServiceJson.Invalid(stream.Service, "the path is not absolute.");
    }

    /// <summary>Gives failures of the file system the code that the host knows.</summary>
    private static T Try<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new MuxStreamException(ProtocolCode.NotFound, e.Message);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new MuxStreamException(ProtocolCode.Denied, e.Message);
        }
        catch (IOException e)
        {
            throw new MuxStreamException(ProtocolCode.Failed, e.Message);
        }
    }
}
