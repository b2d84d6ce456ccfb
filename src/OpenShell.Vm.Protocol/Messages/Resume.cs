namespace OpenShell.Vm.Protocol.Messages;

/// <summary>A guest's memory was resumed: after a suspension, or as the beginning of another instance.</summary>
public sealed record ResumeRequest
{
    /// <summary>Bytes that <see cref="Entropy"/> must have.</summary>
    public const int EntropyLength = 64;

    /// <summary>The host's wall clock when this was written, in nanoseconds since the Unix epoch; the guest sets its own by it.</summary>
    public required long HostTimeUnixNanoseconds { get; init; }

    /// <summary>64 bytes from the host's random source, never used twice: credited to the kernel's entropy pool, from which it is reseeded at once.</summary>
    public required byte[] Entropy { get; init; }

    /// <summary>Whose the memory is now, as <see cref="ClusterConfig.Identity"/> will say at later boots. <see langword="null"/>: the same instance goes on, and all that follows is not given.</summary>
    public string? Identity { get; init; }

    /// <summary>The gateway's name from now on; it stands in <see cref="Credentials"/>.</summary>
    public string? GatewayName { get; init; }

    /// <summary>The machine id from now on: 32 hexadecimal digits, lower case; machine-id(5).</summary>
    public string? MachineId { get; init; }

    /// <summary>
    /// What is the instance's own, by the names of the guest's profiles: <c>gateway-ca</c>, <c>gateway-server</c>, <c>gateway-client</c>, and where there is an API front
    /// <c>front-ca</c>, <c>front-server</c>, <c>front-client</c>.
    /// </summary>
    public IReadOnlyDictionary<string, CertificatePair>? Credentials { get; init; }
}

/// <summary>A certificate with its private key.</summary>
/// <param name="Certificate">X.509, PEM.</param>
/// <param name="Key">PKCS #8, PEM.</param>
public sealed record CertificatePair(string Certificate, string Key);

/// <summary>What a guest did about a <see cref="ResumeRequest"/>. It answers when the new credentials are in force; the rest goes on behind.</summary>
/// <param name="GuestTimeUnixNanoseconds">Its clock before it was set.</param>
/// <param name="Problems">What did not succeed and is no reason not to go on, each in one sentence.</param>
public sealed record ResumeReply(long GuestTimeUnixNanoseconds, IReadOnlyList<string> Problems);

/// <summary>A guest's memory is about to be saved.</summary>
public sealed record SnapshotPreparation
{
    /// <summary>Whether it gives up what it can do without, caches above all, so that little is to be saved. Nothing is ended.</summary>
    public bool Reclaim { get; init; }
}

/// <summary>What a guest did about a <see cref="SnapshotPreparation"/>: its file systems are synced.</summary>
/// <param name="TotalBytes">Its memory.</param>
/// <param name="FreeBytes">What of it is not used at all, not for caches either.</param>
/// <param name="Problems">What did not succeed and is no reason not to go on, each in one sentence.</param>
public sealed record SnapshotPrepared(long TotalBytes, long FreeBytes, IReadOnlyList<string> Problems);
