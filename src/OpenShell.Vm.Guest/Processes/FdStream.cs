using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace OpenShell.Vm.Guest.Processes;

/// <summary>
/// A descriptor of a pipe, a terminal's master, a socket or a virtio-serial port as an asynchronous stream. Owns the descriptor and makes it non-blocking.
/// One reader and one writer at a time.
/// </summary>
internal sealed class FdStream : Stream
{
    private readonly AsyncSignal _readable;
    private readonly AsyncSignal _writable;
    private readonly bool _fillReads;
    private readonly long _token;

    /// <param name="handle">The descriptor.</param>
    /// <param name="runInline">Let readers and writers go on inside of the poller's thread: saves a switch of threads, and forbids them to block.</param>
    /// <param name="fillReads">Read on until the buffer is full or nothing is there: for a device that gives little at a time.</param>
    public FdStream(SafeFileHandle handle, bool runInline = false, bool fillReads = false)
    {
        Handle = handle;
        _fillReads = fillReads;
        _readable = new AsyncSignal(runInline);
        _writable = new AsyncSignal(runInline);
        var fd = (int)handle.DangerousGetHandle();
        if (Libc.fcntl(fd, Libc.F_SETFL, Libc.fcntl(fd, Libc.F_GETFL, 0) | Libc.O_NONBLOCK) != 0)
            throw Failure("fcntl");
        _token = Poller.Shared.Add(this);
    }

    public SafeFileHandle Handle { get; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Bytes that can be read without waiting; of a pipe.</summary>
    public unsafe int Available
    {
        get
        {
            int count;
            return Libc.ioctl(Handle, Libc.FIONREAD, &count) == 0 ? count : 0;
        }
    }

    /// <summary>Reads what is there: bytes, 0 at the end, or <see langword="null"/> when there is nothing yet.</summary>
    public unsafe int? TryRead(Span<byte> buffer)
    {
        while (true)
        {
            nint count;
            fixed (byte* pointer = buffer)
                count = Libc.read(Handle, pointer, (nuint)buffer.Length);
            if (count >= 0)
                return (int)count;
            switch (Marshal.GetLastPInvokeError())
            {
                case Libc.EAGAIN:
                    return null;
                case Libc.EINTR:
                    continue;
                // A terminal's master whose other side is closed (pty(7) leaves it unsaid; tty_io.c).
                case Libc.EIO:
                    return 0;
                default:
                    throw Failure("read");
            }
        }
    }

    /// <summary>Waits until it has become readable since the last wait: of a listening socket, until somebody calls.</summary>
    public ValueTask WaitReadableAsync(CancellationToken cancellationToken) => _readable.WaitAsync(cancellationToken);

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            if (TryRead(buffer.Span) is { } count)
                return _fillReads && count > 0 ? Fill(buffer.Span, count) : count;
            cancellationToken.ThrowIfCancellationRequested();
            await _readable.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            if (TryWrite(buffer.Span) is { } count)
            {
                buffer = buffer[count..];
                continue;
            }
            cancellationToken.ThrowIfCancellationRequested();
            await _writable.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    internal void OnReady(uint events)
    {
        const uint Broken = Libc.EPOLLHUP | Libc.EPOLLERR;
        if ((events & (Libc.EPOLLOUT | Broken)) != 0)
            _writable.Set();
        if ((events & (Libc.EPOLLIN | Libc.EPOLLRDHUP | Broken)) != 0)
            _readable.Set();
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only asynchronous reads.");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Only asynchronous writes.");

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Poller.Shared.Remove(_token);
            Handle.Dispose();
            // Whoever waits wakes up to a closed handle.
            _readable.Set();
            _writable.Set();
        }
        base.Dispose(disposing);
    }

    /// <summary>An end that shows here shows again at the next read.</summary>
    private int Fill(Span<byte> buffer, int filled)
    {
        while (filled < buffer.Length && TryRead(buffer[filled..]) is > 0 and var count)
            filled += count;
        return filled;
    }

    private unsafe int? TryWrite(ReadOnlySpan<byte> buffer)
    {
        while (true)
        {
            nint count;
            fixed (byte* pointer = buffer)
                count = Libc.write(Handle, pointer, (nuint)buffer.Length);
            if (count >= 0)
                return (int)count;
            switch (Marshal.GetLastPInvokeError())
            {
                case Libc.EAGAIN:
                    return null;
                case Libc.EINTR:
                    continue;
                default:
                    throw Failure("write");
            }
        }
    }

    private static IOException Failure(string what) => new($"{what}: {Libc.Message(Marshal.GetLastPInvokeError())}");
}
