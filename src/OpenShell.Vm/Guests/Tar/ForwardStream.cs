using System.IO.Pipelines;

namespace OpenShell.Vm.Guests.Tar;

/// <summary>
/// The data of one file on its way into an archive: fed at one end as it comes, read at the other. It says that it can seek, since the writer of archives wants to know its
/// length; it is only ever read forwards.
/// </summary>
internal sealed class ForwardStream(long length) : Stream
{
    private static readonly byte[] Zeros = new byte[64 * 1024];

    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 256 * 1024, resumeWriterThreshold: 64 * 1024, useSynchronizationContext: false));
    private long _fed;
    private long _read;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get => _read; set => throw new NotSupportedException(); }

    /// <summary>Takes data; what lies between it and the data before is zeros. Waits while the reader is behind.</summary>
    internal async ValueTask FeedAsync(long offset, ReadOnlyMemory<byte> data, CancellationToken cancellationToken)
    {
        // Not all holes are fed: those at the end come out of Read.
        while (_fed < offset)
        {
            var count = (int)Math.Min(Zeros.Length, offset - _fed);
            if ((await _pipe.Writer.WriteAsync(Zeros.AsMemory(0, count), cancellationToken).ConfigureAwait(false)).IsCompleted)
                return;
            _fed += count;
        }

        _ = await _pipe.Writer.WriteAsync(data, cancellationToken).ConfigureAwait(false);
        _fed += data.Length;
    }

    /// <summary>No more data comes; the rest of the length is a hole.</summary>
    internal void End() => _pipe.Writer.Complete();

    /// <summary>The file is given up: whoever reads fails, and whoever feeds is not held up.</summary>
    internal void Break()
    {
        _pipe.Writer.Complete(new IOException("The copy was given up."));
        _pipe.Reader.CancelPendingRead();
        _broken = true;
    }

    private volatile bool _broken;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var wanted = (int)Math.Min(buffer.Length, length - _read);
        if (wanted == 0)
            return 0;
        var result = await _pipe.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (_broken)
            throw new IOException("The copy was given up.");
        var available = (int)Math.Min(result.Buffer.Length, wanted);
        if (available == 0 && result.IsCompleted)
        {
            _pipe.Reader.AdvanceTo(result.Buffer.Start);
            available = Math.Min(wanted, Zeros.Length);
            Zeros.AsSpan(0, available).CopyTo(buffer.Span);
        }
        else
        {
            var taken = result.Buffer.Slice(0, available);
            var at = buffer.Span;
            foreach (var part in taken)
            {
                part.Span.CopyTo(at);
                at = at[part.Length..];
            }

            _pipe.Reader.AdvanceTo(taken.End);
        }

        _read += available;
        return available;
    }

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }
}
