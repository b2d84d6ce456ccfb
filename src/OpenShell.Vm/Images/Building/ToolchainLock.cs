namespace OpenShell.Vm.Images.Building;

/// <summary>Which framework can be compiled natively with this SDK and these package sources: probed once, kept until a refresh.</summary>
internal sealed record ToolchainLock
{
    /// <summary><c>net10.0</c> where its native AOT pack restores, else <c>net9.0</c>.</summary>
    public required string Framework { get; init; }

    /// <summary>The SDK's version.</summary>
    public required string Sdk { get; init; }

    /// <summary>Why that framework, one sentence.</summary>
    public required string Reason { get; init; }
}
