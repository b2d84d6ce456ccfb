namespace OpenShell.Vm.Protocol.Tests.Fuzzing;

/// <summary>A peer that says what a test has written down, in pieces, and then hangs up; it reads everything and keeps nothing.</summary>
internal sealed class ScriptedStream(byte[] script, int pieces) : Stream
{
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _written;
    private int _position;

    /// <summary>Bytes that were written to it.</summary>
    public long Written => Volatile.Read(ref _written);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <summary>Now it speaks.</summary>
    public void Go() => _go.TrySetResult();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await _go.Task.WaitAsync(cancellationToken);
        var count = Math.Min(Math.Min(pieces, buffer.Length), script.Length - _position);
        script.AsSpan(_position, count).CopyTo(buffer.Span);
        _position += count;
        return count;
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Interlocked.Add(ref _written, buffer.Length);
        return ValueTask.CompletedTask;
    }

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
