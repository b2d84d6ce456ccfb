using OpenShell.Vm.Images;

namespace OpenShell.Gateway.Cli.Rendering.Progress;

/// <summary>Turns the progress of an image build into steps of the display.</summary>
internal sealed class BuildSteps(IProgressDisplay display) : IProgress<BuildProgress>
{
    /// <inheritdoc/>
    public void Report(BuildProgress value)
    {
        var size = value.Bytes is { } bytes ? Units.Size(bytes) : null;
        display.Show(new Step
        {
            Id = value.Step,
            Title = value.Title,
            State = value.State switch
            {
                BuildState.Cached => StepState.Skipped,
                BuildState.Completed => StepState.Done,
                BuildState.Failed => StepState.Failed,
                _ => StepState.Running,
            },
            Took = value.State is BuildState.Completed or BuildState.Failed ? value.Elapsed : null,
            Share = value.Share,
            Detail = string.Join(", ", new[] { size, value.State == BuildState.Cached ? "in the cache" : value.Detail }.Where(s => s is { Length: > 0 })),
        });
    }
}
