namespace OpenShell.Vm.Protocol.Messages;

/// <summary>Something about the host changed that a running guest must follow, or may have changed.</summary>
public sealed record HostChange
{
    /// <summary>The host's wall clock when this was written, in nanoseconds since the Unix epoch: the guest sets its own by it. <see langword="null"/>: the clock is as it was.</summary>
    public long? HostTimeUnixNanoseconds { get; init; }

    /// <summary>The way to the world may be another: leases are renewed, and what was remembered of names is forgotten.</summary>
    public bool Network { get; init; }

    /// <summary>The guest only says by how much its clock is off, and leaves it as it is.</summary>
    public bool? OnlyCompares { get; init; }
}

/// <summary>What a guest did about a <see cref="HostChange"/>.</summary>
public sealed record HostChangeReply
{
    /// <summary>By how much its clock was wrong: positive when it was behind the host's. <see langword="null"/>: no time was given.</summary>
    public long? ClockOffsetNanoseconds { get; init; }

    /// <summary>The services that were told, by name.</summary>
    public required IReadOnlyList<string> Told { get; init; }
}

/// <summary>The guest's disks that can fill up.</summary>
/// <param name="Disks">Each once; none in a guest without a state disk.</param>
public sealed record DiskUsageReply(IReadOnlyList<DiskUsage> Disks);

/// <summary>A file system and what is left of it.</summary>
/// <param name="Path">Where it is mounted.</param>
/// <param name="TotalBytes">Its size.</param>
/// <param name="FreeBytes">What an ordinary program can still write.</param>
public sealed record DiskUsage(string Path, long TotalBytes, long FreeBytes);
