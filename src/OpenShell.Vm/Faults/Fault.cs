namespace OpenShell.Vm.Faults;

/// <summary>A failure that a user can meet. Made where it happens, never guessed later from text.</summary>
public sealed record Fault
{
    /// <summary>A stable, dotted identifier such as <c>network.port-busy</c>.</summary>
    public required string Code { get; init; }

    /// <summary>The boot stage in which it happened (a name of <see cref="Timeline.BootStages"/>), or <see langword="null"/> outside of a boot.</summary>
    public string? Stage { get; init; }

    /// <summary>What happened: one sentence that names the thing.</summary>
    public required string What { get; init; }

    /// <summary>What the user can do about it: one sentence, where possible with the command to type.</summary>
    public required string Remedy { get; init; }

    /// <summary>A file that says more, if there is one.</summary>
    public string? Log { get; init; }

    /// <summary>Whether the input was wrong (exit code 2), not the world (exit code 1).</summary>
    public bool IsUsage { get; init; }
}

/// <summary>Carries one or more <see cref="Fault"/>s. Validation reports all of them at once.</summary>
public sealed class FaultException : Exception
{
    /// <summary>One fault, with its cause.</summary>
    public FaultException(Fault fault, Exception? cause = null)
        : this([fault], cause)
    {
    }

    /// <summary>Several faults, such as every error of a configuration.</summary>
    public FaultException(IReadOnlyList<Fault> faults, Exception? cause = null)
        : base(string.Join(Environment.NewLine, faults.Select(f => f.What + " " + f.Remedy)), cause)
    {
        ArgumentOutOfRangeException.ThrowIfZero(faults.Count);
        Faults = faults;
    }

    /// <summary>The faults, most important first; never empty.</summary>
    public IReadOnlyList<Fault> Faults { get; }
}
