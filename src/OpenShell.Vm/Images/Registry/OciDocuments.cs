using System.Text.Json.Serialization;

namespace OpenShell.Vm.Images.Registry;

/// <summary>Names of what is in a registry (https://github.com/opencontainers/image-spec/blob/v1.1.0/media-types.md, https://distribution.github.io/distribution/spec/manifest-v2-2/).</summary>
internal static class MediaTypes
{
    public const string Index = "application/vnd.oci.image.index.v1+json", Manifest = "application/vnd.oci.image.manifest.v1+json";
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json", DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar", DockerConfig = "application/vnd.docker.container.image.v1+json";

    private static readonly string[] Layers =
    [
        "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.oci.image.layer.nondistributable.v1.tar", "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
        DockerLayer, DockerLayer + ".gzip", DockerLayer + ".zstd", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ];

    private static readonly string[] Configurations = ["application/vnd.oci.image.config.v1+json", DockerConfig];

    /// <summary>What is accepted in place of a manifest, best first.</summary>
    public static IReadOnlyList<string> Accepted { get; } = [Index, Manifest, DockerList, DockerManifest];

    public static bool IsIndex(string? type) => type is Index or DockerList;

    public static bool IsManifest(string? type) => type is Manifest or DockerManifest;

    public static bool IsLayer(string? type) => Layers.Contains(type);

    /// <summary>Whether a manifest is that of a container image, and not of some other thing that registries keep.</summary>
    public static bool IsConfiguration(string? type) => Configurations.Contains(type);
}

/// <summary>What leads to a blob (https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md).</summary>
internal sealed record Descriptor
{
    public string? MediaType { get; init; }

    public string? Digest { get; init; }

    public long Size { get; init; }

    public Platform? Platform { get; init; }

    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>The digest's hexadecimal digits.</summary>
    [JsonIgnore]
    public string Sha256 => Digest!["sha256:".Length..];

    /// <summary>Whether what it leads to can be verified.</summary>
    [JsonIgnore]
    public bool IsSound => ImageReference.IsDigest(Digest) && Size >= 0;
}

/// <summary>What a manifest's image runs on, by Go's names.</summary>
internal sealed record Platform(string? Architecture, string? Os, string? Variant)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Os}/{Architecture}{(string.IsNullOrEmpty(Variant) ? "" : "/" + Variant)}";
}

/// <summary>A manifest, or an index of manifests: which one, its media type or its fields tell.</summary>
internal sealed record ManifestDocument
{
    public int SchemaVersion { get; init; }

    public string? MediaType { get; init; }

    public Descriptor? Config { get; init; }

    public IReadOnlyList<Descriptor>? Layers { get; init; }

    public IReadOnlyList<Descriptor>? Manifests { get; init; }
}

/// <summary>Of an image's configuration, what counts here.</summary>
internal sealed record ImageConfiguration
{
    public string? Architecture { get; init; }

    public string? Os { get; init; }

    public string? Variant { get; init; }

    [JsonPropertyName("rootfs")]
    public RootFileSystem? RootFs { get; init; }
}

/// <summary>The layers, by the hashes of their uncompressed tars.</summary>
internal sealed record RootFileSystem([property: JsonPropertyName("diff_ids")] IReadOnlyList<string>? DiffIds);

/// <summary>One image of <c>docker save</c>'s manifest.json (https://github.com/moby/docker-image-spec/blob/main/v1.2.md#combined-image-json--filesystem-changeset-format).</summary>
internal sealed record SavedImage(
    [property: JsonPropertyName("Config")] string? Config,
    [property: JsonPropertyName("RepoTags")] IReadOnlyList<string>? RepoTags,
    [property: JsonPropertyName("Layers")] IReadOnlyList<string>? Layers);

/// <summary>What a token server answers (https://distribution.github.io/distribution/spec/auth/token/).</summary>
internal sealed record TokenAnswer(string? Token, [property: JsonPropertyName("access_token")] string? AccessToken);

/// <summary>The errors that a registry tells (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes).</summary>
internal sealed record RegistryErrors(IReadOnlyList<RegistryError>? Errors);

/// <summary>One of them.</summary>
internal sealed record RegistryError(string? Code, string? Message);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ManifestDocument))]
[JsonSerializable(typeof(ImageConfiguration))]
[JsonSerializable(typeof(IReadOnlyList<SavedImage>))]
[JsonSerializable(typeof(TokenAnswer))]
[JsonSerializable(typeof(RegistryErrors))]
internal sealed partial class RegistryJson : JsonSerializerContext;
