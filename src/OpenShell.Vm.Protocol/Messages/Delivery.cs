using System.Text.Json.Serialization;

namespace OpenShell.Vm.Protocol.Messages;

/// <summary>
/// What the user gives a machine along, besides its images: read from a disk of its own (serial number <see cref="GuestPaths.DeliverySerial"/>), which is nothing but a tar whose first
/// entry is this table, as <see cref="EntryName"/>.
/// </summary>
public sealed record DeliveryIndex
{
    /// <summary>The name of the first entry.</summary>
    public const string EntryName = "delivery.json";

    /// <summary>Entry with further certificate authorities to be trusted, one PEM after the other.</summary>
    public string? Authorities { get; init; }

    /// <summary>Kubernetes manifests.</summary>
    public IReadOnlyList<DeliveredFile> Manifests { get; init => field = value ?? []; } = [];

    /// <summary>Archives of container images: OCI layouts or docker's, as tar, tar.gz or tar.zst.</summary>
    public IReadOnlyList<DeliveredFile> Images { get; init => field = value ?? []; } = [];

    /// <summary>Helm charts.</summary>
    public IReadOnlyList<DeliveredFile> Charts { get; init => field = value ?? []; } = [];

    /// <summary>Where container images are pulled from instead.</summary>
    public IReadOnlyList<DeliveredMirror> Mirrors { get; init => field = value ?? []; } = [];
}

/// <summary>A file of a delivery.</summary>
/// <param name="Name">Its name for the guest, without a folder.</param>
/// <param name="Entry">Its entry in the tar.</param>
/// <param name="Sha256">Of its content, in lower-case hexadecimal.</param>
public sealed record DeliveredFile(string Name, string Entry, string Sha256);

/// <summary>A registry that stands in for another.</summary>
public sealed record DeliveredMirror
{
    /// <summary>The registry as image names have it, such as <c>docker.io</c> or <c>registry.example:5000</c>; <c>*</c>: all that have no mirror of their own.</summary>
    public required string Upstream { get; init; }

    /// <summary>Its URL, without credentials.</summary>
    public required string Url { get; init; }

    /// <summary>Entry with the certificate authorities of this mirror.</summary>
    public string? Authorities { get; init; }

    /// <summary>User name, with <see cref="Password"/>.</summary>
    public string? User { get; init; }

    /// <summary>Password or token.</summary>
    public string? Password { get; init; }

    /// <summary>Do not look at its certificate.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool SkipVerify { get; init; }
}

/// <summary>The proxies by which programs of the guest reach the world.</summary>
public sealed record GuestProxy
{
    /// <summary>For http, as a URL.</summary>
    public string? Http { get; init; }

    /// <summary>For https, as a URL.</summary>
    public string? Https { get; init; }

    /// <summary>What is reached without: names, suffixes, addresses, networks, separated by commas.</summary>
    public string? Except { get; init; }
}
