namespace OpenShell.Vm.Deliveries;

/// <summary>What a cluster is given along to run. Paths are absolute; a folder stands for the files in it, not for those of folders in it.</summary>
public sealed record WorkloadConfig
{
    /// <summary>Kubernetes manifests (<c>.yaml</c>, <c>.yml</c>, <c>.json</c>), or folders of them, applied in the order of their names.</summary>
    public IReadOnlyList<string> Manifests { get; init => field = value ?? []; } = [];

    /// <summary>Archives of container images (<c>.tar</c>, <c>.tar.gz</c>, <c>.tgz</c>, <c>.tar.zst</c>), or folders of them.</summary>
    public IReadOnlyList<string> Images { get; init => field = value ?? []; } = [];

    /// <summary>Helm charts (<c>.tgz</c>), which k3s installs.</summary>
    public IReadOnlyList<string> Charts { get; init => field = value ?? []; } = [];
}

/// <summary>A registry that stands in for another.</summary>
public sealed record RegistryMirror
{
    /// <summary>The registry as image names have it: <c>docker.io</c>, <c>registry.example:5000</c>, or <c>*</c> for all that have no mirror of their own.</summary>
    public required string Upstream { get; init; }

    /// <summary>Where images are pulled from: an http or https URL without credentials.</summary>
    public required string Url { get; init; }

    /// <summary>PEM file with the certificate authorities of the mirror; <see langword="null"/>: those that the guest trusts.</summary>
    public string? CertificateAuthority { get; init; }

    /// <summary>File with one line <c>user:password</c>, so that neither stands on a command line.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary>Do not look at the mirror's certificate.</summary>
    public bool SkipVerify { get; init; }
}

/// <summary>Proxies of the host, as its environment names them.</summary>
public sealed record ProxyConfig
{
    /// <summary>For http, as a URL.</summary>
    public string? Http { get; init; }

    /// <summary>For https, as a URL.</summary>
    public string? Https { get; init; }

    /// <summary>What is reached without.</summary>
    public string? Except { get; init; }
}
