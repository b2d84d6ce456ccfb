namespace OpenShell.Vm.Kernels;

/// <summary>Something that a kernel must or may be able to do, with the way to find out by doing it.</summary>
public sealed record KernelCapability
{
    /// <summary>A short name of letters, digits, dots and dashes: <c>nft-numgen</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What needs it.</summary>
    public required string Purpose { get; init; }

    /// <summary>The kernel's options that give it, all of them.</summary>
    public required IReadOnlyList<string> Options { get; init; }

    /// <summary>Whether a cluster here cannot do without it.</summary>
    public required bool Required { get; init; }

    /// <summary>A shell script that succeeds if the kernel can do it; run as root in namespaces and an empty folder of its own.</summary>
    public required string Test { get; init; }
}

/// <summary>What was found out about a capability of a running kernel.</summary>
/// <param name="Capability">Which.</param>
/// <param name="Works">Whether its test succeeded.</param>
/// <param name="Detail">What the test said last when it failed.</param>
public sealed record KernelFinding(KernelCapability Capability, bool Works, string? Detail);

/// <summary>All findings about a running kernel.</summary>
/// <param name="Release">As <c>uname -r</c> prints it.</param>
/// <param name="Findings">In the order of <see cref="KernelCapabilities.All"/>.</param>
public sealed record KernelReport(string Release, IReadOnlyList<KernelFinding> Findings)
{
    /// <summary>Whether everything that is required works.</summary>
    public bool Ok => Findings.All(f => f.Works || !f.Capability.Required);
}
