namespace OpenShell.Vm.Files;

/// <summary>What a receiver takes at most. The sender may be a hostile guest.</summary>
public sealed record TreeLimits
{
    /// <summary>Levels of folders: one descriptor is open for each, and a process has 1024.</summary>
    public const int MaxDepth = 128;

    /// <summary>Bytes of a name (NAME_MAX of every file system of Linux that matters).</summary>
    public const int MaxName = 255;

    /// <summary>Bytes of a path or of a link's text (PATH_MAX less its zero).</summary>
    public const int MaxPath = 4095;

    /// <summary>Files, folders and links: each costs an inode.</summary>
    public long MaxEntries { get; init; } = 1_000_000;

    /// <summary>Bytes of data, all files together.</summary>
    public long MaxBytes { get; init; } = long.MaxValue;

    /// <summary>Bytes of length, all files together, holes included: a sparse file costs nothing until somebody reads it.</summary>
    public long MaxLength { get; init; } = 1L << 40;
}

/// <summary>How far a copy is.</summary>
/// <param name="Entries">Entries so far.</param>
/// <param name="Bytes">Bytes of data so far.</param>
/// <param name="Path">The entry that it is at.</param>
public sealed record TreeProgress(long Entries, long Bytes, string Path);
