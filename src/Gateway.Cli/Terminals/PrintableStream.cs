namespace OpenShell.Gateway.Cli.Terminals;

/// <summary>
/// What others wrote, for a terminal: control characters arrive in caret notation, as <c>cat -v</c> shows them, so that no log can clear the
/// screen or do worse. Line feeds and tabs stay; carriage returns go.
/// </summary>
internal sealed class PrintableStream(Stream terminal) : Stream
{
    private const byte Delete = 0x7f;

    // The first byte of U+0080 to U+00BF in UTF-8; the first half of those are control characters too (ECMA-48).
    private const byte Latin = 0xc2;

    private bool _latin;

    /// <inheritdoc/>
    public override bool CanRead => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

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
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        var shown = new List<byte>(buffer.Length + 16);
        foreach (var value in buffer)
            Show(value, shown);
        terminal.Write([.. shown]);
    }

    /// <inheritdoc/>
    public override void Flush() => terminal.Flush();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    private void Show(byte value, List<byte> shown)
    {
        if (_latin)
        {
            _latin = false;
            if (value is >= 0x80 and < 0xa0)
            {
                shown.Add((byte)'?');
                return;
            }

            shown.Add(Latin);
        }

        switch (value)
        {
            case Latin:
                _latin = true;
                break;
            case (byte)'\r':
                break;
            case Delete or < 0x20 and not (byte)'\n' and not (byte)'\t':
                shown.Add((byte)'^');
                shown.Add((byte)(value ^ 0x40));
                break;
            default:
                shown.Add(value);
                break;
        }
    }
}
