namespace OpenShell.Vm.Pki;

/// <summary>A certificate that is to exist: pure data. Its file is <c>NAME.crt</c>, its key <c>NAME.key</c>, in the folder of certificates.</summary>
internal sealed record CertificateProfile
{
    /// <summary>Its name on disk, such as <c>apiserver</c> or <c>etcd/ca</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Subject: common name. Kubernetes reads it as the user's name.</summary>
    public required string CommonName { get; init; }

    /// <summary>Subject: organizations. Kubernetes reads them as the user's groups.</summary>
    public string? Organization { get; init; }

    /// <summary>The profile that signs it; <see langword="null"/>: it signs itself, and is a CA.</summary>
    public string? Issuer { get; init; }

    /// <summary>What it may be used for.</summary>
    public required CertificateUse Use { get; init; }

    /// <summary>Subject alternative names: DNS names and IP addresses, each once.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>How long it is valid.</summary>
    public TimeSpan Validity { get; init; } = TimeSpan.FromDays(2 * 365);
}

/// <summary>What a certificate may be used for.</summary>
[Flags]
internal enum CertificateUse
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Signs others.</summary>
    Authority = 1,

    /// <summary>Proves a server.</summary>
    Server = 2,

    /// <summary>Proves a client.</summary>
    Client = 4,
}
