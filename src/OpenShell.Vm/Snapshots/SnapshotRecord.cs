namespace OpenShell.Vm.Snapshots;

/// <summary>What is written down of a suspended instance's machine, as <c>machine.json</c> beside its memory.</summary>
internal sealed record SnapshotRecord
{
    /// <summary>The layout: another one is refused.</summary>
    internal const int CurrentFormat = 3;

    /// <inheritdoc cref="CurrentFormat"/>
    public required int Format { get; init; }

    /// <summary>The machine.</summary>
    public required MachineIdentity Machine { get; init; }

    /// <summary>Whether its memory was an object of its own (<see cref="Planning.GuestMemory"/>), which names it otherwise.</summary>
    public required bool NamesMemory { get; init; }

    /// <summary>The disk of that instant.</summary>
    public required DiskState Disk { get; init; }

    /// <summary>The machine's state, with its memory where <see cref="Pages"/> is <see langword="null"/>.</summary>
    public required SavedFile Machinery { get; init; }

    /// <summary>The pages that the machine had for itself.</summary>
    public SavedFile? Pages { get; init; }

    /// <summary>What they lie over, in the instance's folder; <see langword="null"/>: nothing.</summary>
    public SavedFile? Base { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>The digest of what was given along, which is a disk of the machine and in its memory; <see langword="null"/>: nothing was.</summary>
    public string? Delivery { get; init; }

    /// <summary>Whether pods may reach the host's loopback: the guest's firewall is in its memory.</summary>
    public bool AllowHostLoopback { get; init; }

    /// <summary>The digest of the proxies that its services were started with; <see langword="null"/>: none.</summary>
    public string? Proxy { get; init; }

    /// <summary>The identity that the guest had; <see langword="null"/>: that of an instance which is no clone. Another one must be told who it is.</summary>
    public string? Identity { get; init; }

    /// <summary>SHA-256 of the record itself without this.</summary>
    public string? Seal { get; init; }

    /// <summary>As it is written: with its seal.</summary>
    internal SnapshotRecord Sealed() => this with { Seal = RecordSeal.Of(this with { Seal = null }, SnapshotJson.Default.SnapshotRecord) };
}
