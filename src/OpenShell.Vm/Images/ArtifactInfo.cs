using OpenShell.Vm.Faults;

namespace OpenShell.Vm.Images;

/// <summary>An artifact in the cache.</summary>
public sealed record ArtifactInfo
{
    /// <summary>Its kind: <c>kernel</c>, <c>initramfs</c>, <c>root</c>, <c>kubernetes</c>, ...</summary>
    public required string Kind { get; init; }

    /// <summary>The content address: a hash of all that went in.</summary>
    public required string Key { get; init; }

    /// <summary>Absolute path of its folder.</summary>
    public required string Folder { get; init; }

    /// <summary>What it is: <c>Debian 6.1.192-2</c>, <c>1.20.2</c>.</summary>
    public string? Version { get; init; }

    /// <summary>Bytes of all its files.</summary>
    public long Size { get; init; }

    /// <summary>When it was built.</summary>
    public DateTimeOffset? BuiltAt { get; init; }

    /// <summary>Whether the current recipes use it.</summary>
    public bool Current { get; init; }

    /// <summary>Names of the instances whose plan refers to it.</summary>
    public IReadOnlyList<string> Instances { get; init; } = [];

    /// <summary>Why it cannot be used, if so.</summary>
    public Fault? Fault { get; init; }
}

/// <summary>What <c>gateway image verify</c> found.</summary>
/// <param name="Verified">Artifacts whose every file has the recorded SHA-256.</param>
/// <param name="Faults">One for every file that differs or is missing: names the file and the remedy.</param>
/// <param name="Bytes">Bytes hashed.</param>
public sealed record VerifyReport(IReadOnlyList<ArtifactInfo> Verified, IReadOnlyList<Fault> Faults, long Bytes)
{
    /// <summary>Whether everything is as it was built.</summary>
    public bool Ok => Faults.Count == 0;
}

/// <summary>What to remove.</summary>
public sealed record PruneRequest
{
    /// <summary>Only say what would be removed.</summary>
    public bool DryRun { get; init; }

    /// <summary>Also remove what only speeds up later builds: downloaded packages, compilers' caches, unpacked sources.</summary>
    public bool BuildCaches { get; init; }
}

/// <summary>What was, or would be, removed.</summary>
/// <param name="Removed">Absolute paths with their sizes.</param>
/// <param name="Kept">What is referred to by instances only, and so was kept.</param>
/// <param name="Bytes">Bytes freed.</param>
public sealed record PruneReport(IReadOnlyList<PrunedPath> Removed, IReadOnlyList<ArtifactInfo> Kept, long Bytes);

/// <summary>A file or folder of the cache that prune removes.</summary>
/// <param name="Path">Absolute path.</param>
/// <param name="Bytes">Its size on disk.</param>
/// <param name="Why">Why it is not needed.</param>
public sealed record PrunedPath(string Path, long Bytes, string Why);
