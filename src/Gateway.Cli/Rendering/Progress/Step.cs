namespace OpenShell.Gateway.Cli.Rendering.Progress;

/// <summary>One line of the progress display, wherever it comes from: a boot stage, a part of one, a step of an image build.</summary>
internal sealed record Step
{
    /// <summary>What tells it from others: <c>services/etcd</c>.</summary>
    public required string Id { get; init; }

    /// <summary>For a person.</summary>
    public required string Title { get; init; }

    /// <summary>What it is doing.</summary>
    public required StepState State { get; init; }

    /// <summary>How long it took; <see langword="null"/> while it runs.</summary>
    public TimeSpan? Took { get; init; }

    /// <summary>Share done, 0 to 1, where that is known.</summary>
    public double? Share { get; init; }

    /// <summary>One more thing to know.</summary>
    public string? Detail { get; init; }

    /// <summary>A part of another step.</summary>
    public bool IsPart => Id.Contains('/', StringComparison.Ordinal);
}

/// <summary>The states of a step.</summary>
internal enum StepState
{
    /// <summary>At work.</summary>
    Running,

    /// <summary>Done.</summary>
    Done,

    /// <summary>There was nothing to do.</summary>
    Skipped,

    /// <summary>It failed.</summary>
    Failed,
}
