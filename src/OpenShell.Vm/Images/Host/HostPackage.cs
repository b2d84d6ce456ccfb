namespace OpenShell.Vm.Images.Host;

/// <summary>A Debian package that this host needs.</summary>
public sealed record HostPackage
{
    /// <summary>The package's name.</summary>
    public required string Name { get; init; }

    /// <summary>Why: one clause for a person, such as <c>builds the root file system from packages</c>.</summary>
    public required string Why { get; init; }

    /// <summary>What it is needed for: <c>run</c> (booting), or the kinds of the artifacts that are built with it.</summary>
    public required IReadOnlyList<string> NeededFor { get; init; }

    /// <summary>The suite it must come from, such as <c>bookworm-backports</c>; <see langword="null"/>: the host's own.</summary>
    public string? Suite { get; init; }

    /// <summary>The lowest version that will do; <see langword="null"/>: any.</summary>
    public string? MinimumVersion { get; init; }

    /// <summary>A program that does as well wherever it comes from, such as <c>kubectl</c>: while it is in PATH the package is not needed, and could not be installed beside another that has the same file.</summary>
    public string? Program { get; init; }
}

/// <summary>A package that is missing, or too old.</summary>
/// <param name="Package">Which, and why it is needed.</param>
/// <param name="Installed">The version installed, if one is, but too old.</param>
public sealed record MissingPackage(HostPackage Package, string? Installed);
