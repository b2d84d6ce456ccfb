namespace OpenShell.Vm.Guests.Tar;

/// <summary>
/// Reads an archive through, and tells whether what was read last is the end of one. <see cref="System.Formats.Tar.TarReader"/> takes any header for the end whose checksum begins with a NUL; by POSIX.1 (pax, "ustar Interchange Format") the end
/// is a block of zeros, and where tools leave it away, the end of the stream.
/// </summary>
internal sealed class TarBlocks(Stream archive) : Stream
{
    /// <summary>The size of a header, in bytes.</summary>
    private const int BlockSize = 512;

    private long _position, _zerosFrom;
    private bool _ended;

    /// <summary>The stream has ended, or the last block of it that was read is all zeros.</summary>
    public bool IsEnd => _ended || _position - _zerosFrom >= BlockSize;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Seen(buffer.AsSpan(offset, count), archive.Read(buffer, offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await archive.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        return Seen(buffer.Span, count);
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Seen(ReadOnlySpan<byte> buffer, int count)
    {
        _ended |= count == 0 && buffer.Length > 0;
        if (buffer[..count].LastIndexOfAnyExcept((byte)0) is >= 0 and var last)
            _zerosFrom = _position + last + 1;
        _position += count;
        return count;
    }
}
