using System.Text;

namespace OpenShell.Gateway.Cli.Support;

/// <summary>Keeps the end of what is written to it.</summary>
internal sealed class TailStream(int most) : Stream
{
    private readonly byte[] _ring = new byte[most];
    private long _written;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => _written;

    /// <inheritdoc/>
    public override long Position { get => _written; set => throw new NotSupportedException(); }

    /// <summary>The end as text, from its first whole line on where it is not all.</summary>
    public string Text()
    {
        var kept = (int)Math.Min(_written, most);
        var bytes = new byte[kept];
        for (var i = 0; i < kept; i++)
            bytes[i] = _ring[(_written - kept + i) % most];
        var start = kept == _written ? 0 : Array.IndexOf(bytes, (byte)'\n') + 1;
        return Encoding.UTF8.GetString(bytes, start, kept - start);
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        foreach (var b in buffer)
            _ring[_written++ % most] = b;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();
}
