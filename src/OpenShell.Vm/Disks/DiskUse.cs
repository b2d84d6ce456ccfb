namespace OpenShell.Vm.Disks;

/// <summary>How large an instance's disk is, in bytes.</summary>
/// <param name="Limit">What the guest may come to use: its size as the guest sees it.</param>
/// <param name="Used">What the guest's file system has in use; <see langword="null"/>: not known, since nothing was ever written or the disk cannot be read.</param>
/// <param name="Allocated">What it takes on the host.</param>
/// <param name="Shared">What it stands on, which it shares with other instances; 0 when it stands on nothing.</param>
/// <param name="Clones">The instances whose disks stand on it.</param>
public sealed record DiskUse(long Limit, long? Used, long Allocated, long Shared, IReadOnlyList<string> Clones)
{
    /// <summary>What its saved memory takes besides, while it is suspended; clones of it that have not gone on yet share it.</summary>
    public long Memory { get; init; }

    /// <summary>What an interrupted save of its memory left; the next <c>up</c>, <c>stop</c> or <c>reset</c> removes it.</summary>
    public long MemoryRemains { get; init; }
}
