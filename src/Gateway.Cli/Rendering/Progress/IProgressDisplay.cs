namespace OpenShell.Gateway.Cli.Rendering.Progress;

/// <summary>
/// Shows steps as they change. Disposing it ends the display and leaves the terminal as it was; what is said afterwards is still written.
/// Safe for concurrent use.
/// </summary>
internal interface IProgressDisplay : IAsyncDisposable
{
    /// <summary>Whether a display that is redrawn in place goes away at its end, because what follows says the same better.</summary>
    bool ClearAtEnd { get; set; }

    /// <summary>A step has begun, gone on or ended.</summary>
    void Show(Step step);

    /// <summary>Says something between the steps.</summary>
    void Say(string line);
}
