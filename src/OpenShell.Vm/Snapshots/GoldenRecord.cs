using System.Text.Json.Serialization;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Images;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Snapshots;

/// <summary>What is written down of a golden image, as <c>golden.json</c> in its folder.</summary>
internal sealed record GoldenRecord
{
    /// <summary>What it is of.</summary>
    public required GoldenKey Key { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>The name of the cluster's node, which every instance of it shares.</summary>
    public required string NodeName { get; init; }

    /// <summary>Its files.</summary>
    public required IReadOnlyList<SavedFile> Files { get; init; }

    /// <summary>What its images were asked for as; <see langword="null"/>: an earlier version did not write it down.</summary>
    public BakedOf? BakedOf { get; init; }

    /// <summary>SHA-256 of the record itself without this.</summary>
    public string? Seal { get; init; }
}

/// <summary>The images of a golden one as they were asked for: by that it is known whether they still can be.</summary>
internal sealed record BakedOf
{
    /// <inheritdoc cref="ImageRequest.Architecture"/>
    public string? Architecture { get; init; }

    /// <inheritdoc cref="ImageRequest.Distribution"/>
    public string? Distribution { get; init; }

    /// <inheritdoc cref="ImageRequest.K3sBinary"/>
    public string? K3sBinary { get; init; }

    /// <inheritdoc cref="ImageRequest.BaseImage"/>
    public string? BaseImage { get; init; }

    /// <inheritdoc cref="ImageRequest.Kernel"/>
    public string? Kernel { get; init; }

    internal static BakedOf Of(ImageRequest request) =>
        new() { Architecture = request.Architecture, Distribution = request.Distribution, K3sBinary = request.K3sBinary, BaseImage = request.BaseImage, Kernel = request.Kernel };

    /// <summary>The same again.</summary>
    internal ImageRequest Request =>
        new() { Mode = GuestMode.Cluster, Architecture = Architecture, Distribution = Distribution, K3sBinary = K3sBinary, BaseImage = BaseImage, Kernel = Kernel };
}

/// <summary>Source-generated JSON of everything that is written down of saved machines.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    WriteIndented = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(GoldenKey))]
[JsonSerializable(typeof(GoldenRecord))]
[JsonSerializable(typeof(SnapshotRecord))]
[JsonSerializable(typeof(ProxyConfig))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
