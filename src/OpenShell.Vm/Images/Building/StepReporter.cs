using System.Diagnostics;

namespace OpenShell.Vm.Images.Building;

/// <summary>Reports one step's progress, not more often than an eye can follow.</summary>
internal sealed class StepReporter(string step, string title, IProgress<BuildProgress>? progress)
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(100);

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly Lock _lock = new();
    private TimeSpan _last = -Often;

    /// <summary>Since the step began.</summary>
    public TimeSpan Elapsed => _watch.Elapsed;

    /// <summary>Something happened to the step; always reported.</summary>
    public void State(BuildState state, string? detail = null, long? bytes = null) => Report(state, detail, null, bytes);

    /// <summary>The step goes on.</summary>
    public void Running(string? detail, double? share = null, long? bytes = null)
    {
        lock (_lock)
        {
            if (_watch.Elapsed - _last < Often && share is not >= 1)
                return;
            _last = _watch.Elapsed;
        }

        Report(BuildState.Running, detail, share, bytes);
    }

    private void Report(BuildState state, string? detail, double? share, long? bytes) => progress?.Report(new BuildProgress
    {
        Step = step,
        Title = title,
        State = state,
        Elapsed = _watch.Elapsed,
        Share = share,
        Bytes = bytes,
        Detail = detail,
    });
}
