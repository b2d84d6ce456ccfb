namespace OpenShell.Vm.Snapshots;

/// <summary>A machine with a running cluster, frozen: what new instances begin as.</summary>
public sealed record GoldenImage
{
    /// <summary>Its name: the hash of <see cref="Key"/>.</summary>
    public required string Hash { get; init; }

    /// <summary>What it is of; <see langword="null"/>: it cannot be read, see <see cref="Fault"/>.</summary>
    public GoldenKey? Key { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset? MadeAt { get; init; }

    /// <summary>Its folder.</summary>
    public required string Folder { get; init; }

    /// <summary>What it takes on the disk, in bytes; holes left out.</summary>
    public required long Bytes { get; init; }

    /// <summary>The memory's part of that.</summary>
    public long MemoryBytes { get; init; }

    /// <summary>The instances whose disks stand on it.</summary>
    public IReadOnlyList<string> Instances { get; init; } = [];

    /// <summary>What its images were asked for as.</summary>
    internal BakedOf? BakedOf { get; init; }

    /// <summary>Why it cannot be used.</summary>
    public Faults.Fault? Fault { get; init; }
}
