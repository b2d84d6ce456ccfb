namespace OpenShell.Gateway.Cli.Rendering.Progress;

/// <summary>A line for every beginning and end, and now and then one for a long step between them: for files, pipes and CI logs.</summary>
internal sealed class PlainDisplay(TextWriter writer, TimeProvider time, bool verbose) : IProgressDisplay
{
    /// <summary>How often a long step is mentioned.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);

    private readonly Lock _gate = new();
    private readonly LineQueue _lines = new(writer);
    private readonly long _began = time.GetTimestamp();
    private readonly Dictionary<string, (Step Step, TimeSpan Shown)> _steps = [];

    /// <inheritdoc/>
    public bool ClearAtEnd { get; set; }

    /// <inheritdoc/>
    public void Show(Step step)
    {
        lock (_gate)
        {
            var now = time.GetElapsedTime(_began);
            var known = _steps.TryGetValue(step.Id, out var last);
            if (step.State == StepState.Running && known && last.Step.State == StepState.Running && now - last.Shown < Interval)
                return;

            // The end of a part says as much as its beginning would have.
            var silent = step.State == StepState.Running && !known && step.IsPart && !verbose;
            _steps[step.Id] = (step, now);
            if (!silent)
                Write(now, Line(step));
        }
    }

    /// <inheritdoc/>
    public void Say(string line)
    {
        lock (_gate)
            Write(time.GetElapsedTime(_began), line);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _lines.DisposeAsync();

    private static string Line(Step step)
    {
        var state = step.State switch
        {
            StepState.Running when step.Share is { } share => Units.Share(share),
            StepState.Running => "...",
            StepState.Done => step.Took is { } took ? $"done in {Units.Time(took)}" : "done",
            StepState.Skipped => "nothing to do",
            _ => "FAILED",
        };
        return step.Detail is { Length: > 0 } detail ? $"{step.Title}: {state} ({detail.ReplaceLineEndings(" ")})" : $"{step.Title}: {state}";
    }

    private void Write(TimeSpan now, string line) => _lines.Add($"[{Units.Time(now),8}] {line}");
}
