using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Gateway.Cli.Rendering.Progress;

/// <summary>Turns the timeline of a start into steps of the display, in the order in which they come.</summary>
internal sealed class TimelineSteps(IProgressDisplay display) : IProgress<TimelineEvent>
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, TimeSpan> _began = [];

    /// <inheritdoc/>
    public void Report(TimelineEvent value)
    {
        lock (_gate)
        {
            if (value.State == StageState.Started)
                _began.TryAdd(value.Stage, value.Elapsed);
            display.Show(new Step
            {
                Id = value.Stage,
                Title = value.Stage,
                State = value.State switch
                {
                    StageState.Started => StepState.Running,
                    StageState.Completed => StepState.Done,
                    StageState.Skipped => StepState.Skipped,
                    _ => StepState.Failed,
                },
                Took = value.State != StageState.Started && _began.TryGetValue(value.Stage, out var began) ? value.Elapsed - began : null,
                Share = value.Progress,
                Detail = value.Detail,
            });
        }
    }
}
