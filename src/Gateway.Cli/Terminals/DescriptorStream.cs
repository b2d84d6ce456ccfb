using System.Runtime.InteropServices;

namespace OpenShell.Gateway.Cli.Terminals;

/// <summary>
/// A file descriptor with plain read(2) and write(2). .NET's console streams swallow a broken pipe (so <c>gateway exec -- yes | head</c> would
/// never end) and edit lines by themselves; a FileStream keeps a position of its own, and two of them on one file (<c>&gt; log 2&gt;&amp;1</c>)
/// overwrite each other. Never closes the descriptor.
/// </summary>
internal sealed class DescriptorStream(int descriptor, FileAccess access) : Stream
{
    /// <inheritdoc/>
    public override bool CanRead => access.HasFlag(FileAccess.Read);

    /// <inheritdoc/>
    public override bool CanWrite => access.HasFlag(FileAccess.Write);

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        while (true)
        {
            var count = LibC.Read(descriptor, buffer);
            if (count >= 0)
                return (int)count;
            WaitOrThrow(LibC.PollIn);
        }
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var count = LibC.Write(descriptor, buffer);
            if (count >= 0)
                buffer = buffer[(int)count..];
            else
                WaitOrThrow(LibC.PollOut);
        }
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <summary>Reads on a thread of its own: a read of a terminal may wait for ever and cannot be cancelled, and the pool has few threads.</summary>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        await Task.Factory.StartNew(() => Read(buffer.Span), cancellationToken, TaskCreationOptions.LongRunning, TaskScheduler.Default).WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is kept here.
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    // A descriptor may be non-blocking because whoever shares it made it so.
    private void WaitOrThrow(short events)
    {
        var error = Marshal.GetLastPInvokeError();
        if (error == LibC.Interrupted)
            return;
        if (error == LibC.WouldBlock)
            LibC.Poll(descriptor, events);
        else
            throw error == LibC.BrokenPipe ? new BrokenPipeException() : new IOException(Marshal.GetPInvokeErrorMessage(error), error);
    }
}

/// <summary>Nobody reads what is written here any more.</summary>
internal sealed class BrokenPipeException() : IOException("Nobody reads the output any more.");
