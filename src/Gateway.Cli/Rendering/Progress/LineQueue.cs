using System.Threading.Channels;

namespace OpenShell.Gateway.Cli.Rendering.Progress;

/// <summary>
/// Writes lines behind those who have something to say: a terminal that is held with Ctrl-S, or a pipe that nobody reads, holds up only what is written, and not the machine that is watched.
/// Once disposed it writes at once. Safe for concurrent use.
/// </summary>
internal sealed class LineQueue : IAsyncDisposable
{
    /// <summary>What is kept for a reader that has gone away for days: the latest.</summary>
    private const int MaxLines = 10_000;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(MaxLines) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });
    private readonly TextWriter _writer;
    private readonly Task _writing;

    public LineQueue(TextWriter writer)
    {
        _writer = writer;
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>Adds one.</summary>
    public void Add(string line)
    {
        if (!_lines.Writer.TryWrite(line))
            Write(line);
    }

    /// <summary>Waits until all are written.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writing;
    }

    private async Task WriteAsync()
    {
        await foreach (var line in _lines.Reader.ReadAllAsync())
            Write(line);
    }

    private void Write(string line)
    {
        try
        {
            _writer.WriteLine(line);
        }
        catch (IOException)
        {
            // The terminal was closed, or the reader is gone. That must not keep an orderly stop from running to its end.
        }
    }
}
