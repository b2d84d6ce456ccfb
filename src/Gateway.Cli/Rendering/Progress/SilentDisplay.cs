namespace OpenShell.Gateway.Cli.Rendering.Progress;

/// <summary>For <c>--quiet</c>.</summary>
internal sealed class SilentDisplay : IProgressDisplay
{
    /// <inheritdoc/>
    public bool ClearAtEnd { get; set; }

    /// <inheritdoc/>
    public void Show(Step step)
    {
    }

    /// <inheritdoc/>
    public void Say(string line)
    {
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
