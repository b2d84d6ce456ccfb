using Spectre.Console;
using Spectre.Console.Rendering;

namespace OpenShell.Gateway.Cli.Rendering.Progress;

/// <summary>A display that is redrawn in place, for terminals.</summary>
internal sealed class LiveDisplay : IProgressDisplay
{
    private static readonly TimeSpan FrameTime = TimeSpan.FromMilliseconds(120);

    private readonly Lock _gate = new();
    private readonly StepBoard _board;
    private readonly Queue<string> _lines = [];
    private readonly IAnsiConsole _console;
    private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _drawing;

    /// <summary>Begins to draw.</summary>
    /// <param name="console">The terminal.</param>
    /// <param name="time">The clock.</param>
    /// <param name="unicode">Whether it shows more than ASCII.</param>
    public LiveDisplay(IAnsiConsole console, TimeProvider time, bool unicode)
    {
        _console = console;
        _board = new StepBoard(time, unicode);
        _drawing = Task.Run(DrawAsync);
    }

    /// <inheritdoc/>
    public bool ClearAtEnd { get; set; }

    /// <inheritdoc/>
    public void Show(Step step)
    {
        lock (_gate)
            _board.Apply(step);
    }

    /// <inheritdoc/>
    public void Say(string line)
    {
        lock (_gate)
        {
            if (!_drawing.IsCompleted)
                _lines.Enqueue(line);
            else
                Write(line);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _ending.TrySetResult();
        await _drawing;
    }

    private async Task DrawAsync()
    {
        try
        {
            await _console.Live(Text.Empty).Overflow(VerticalOverflow.Crop).Cropping(VerticalOverflowCropping.Top).StartAsync(async frame =>
            {
                while (!_ending.Task.IsCompleted)
                {
                    Draw(frame, last: false);
                    await Task.WhenAny(Task.Delay(FrameTime), _ending.Task);
                }

                Draw(frame, last: true);
            });
        }
        catch (IOException)
        {
            // The terminal was closed. That must not keep an orderly stop from running to its end.
        }
    }

    private void Write(string line)
    {
        try
        {
            _console.WriteLine(line);
        }
        catch (IOException)
        {
            // As above.
        }
    }

    private void Draw(LiveDisplayContext frame, bool last)
    {
        string[] lines;
        IRenderable picture;
        lock (_gate)
        {
            lines = [.. _lines];
            _lines.Clear();
            picture = last && ClearAtEnd ? Text.Empty : _board.Render(_console.Profile.Width);
        }

        // Written by nobody but this: a terminal that is held with Ctrl-S holds up the display, and not the machine that it shows. Lines land above a live display.
        foreach (var line in lines)
            Write(line);
        frame.UpdateTarget(picture);
    }
}
