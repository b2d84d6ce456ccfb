using System.Text.Json;

namespace OpenShell.Vm.Images.Registry;

/// <summary>Finds the one manifest of an image that is for a platform.</summary>
internal static class ImageResolver
{
    // What says that an entry of an index is no image but says something about one (https://docs.docker.com/build/metadata/attestations/attestation-storage/).
    private const string Unknown = "unknown";

    /// <summary>By its index, or, where it has none, by its configuration.</summary>
    /// <param name="content">The image.</param>
    /// <param name="architecture">Debian's name of the processor, which for these two is also Go's: <c>amd64</c>, <c>arm64</c>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What leads to the manifest.</returns>
    public static async Task<Descriptor> ResolveAsync(ImageContent content, string architecture, CancellationToken cancellationToken)
    {
        var found = await content.RootAsync(cancellationToken).ConfigureAwait(false);
        for (var depth = 0; ; depth++)
        {
            var document = Parse(content.Image, found.Content, "its manifest");
            var type = TypeOf(content.Image, document, found.MediaType);
            if (!MediaTypes.IsIndex(type))
                return new Descriptor { MediaType = type, Digest = found.Digest, Size = found.Content.Length };
            if (depth == RegistryLimits.Depth)
                throw RegistryFaults.Malformed(content.Image, "its index leads to an index again and again");
            var chosen = Choose(content.Image, document.Manifests ?? [], architecture);
            found = new FoundManifest(await content.ReadAsync(chosen, RegistryLimits.Manifest, cancellationToken).ConfigureAwait(false), chosen.MediaType, chosen.Digest!);
        }
    }

    /// <summary>The manifest, and the configuration that it names: all that is to be known of an image before its layers.</summary>
    public static async Task<(ManifestDocument Manifest, ImageConfiguration Configuration)> ReadAsync(
        ImageContent content, Descriptor descriptor, string architecture, CancellationToken cancellationToken)
    {
        var image = content.Image;
        var manifest = Parse(image, await content.ReadAsync(descriptor, RegistryLimits.Manifest, cancellationToken).ConfigureAwait(false), "its manifest");
        if (manifest is not { Config: { } config, Layers: { Count: > 0 } layers })
            throw RegistryFaults.Malformed(image, "its manifest names no configuration, or no layers");
        if (!MediaTypes.IsConfiguration(config.MediaType))
            throw RegistryFaults.Unsupported(image, $"it is no container image, but {config.MediaType}");
        if (layers.FirstOrDefault(l => !MediaTypes.IsLayer(l.MediaType)) is { } strange)
            throw RegistryFaults.Unsupported(image, $"a layer is of the type {strange.MediaType}");
        if (layers.Count > RegistryLimits.Layers || layers.Sum(l => (decimal)l.Size) > RegistryLimits.Compressed)
            throw RegistryFaults.TooLarge(image, $"{layers.Count} layers of {layers.Sum(l => (decimal)l.Size)} bytes");
        try
        {
            var configuration = JsonSerializer.Deserialize(await content.ReadAsync(config, RegistryLimits.Configuration, cancellationToken).ConfigureAwait(false), RegistryJson.Default.ImageConfiguration)
                ?? throw new JsonException("null");
            if (configuration.Os != "linux" || configuration.Architecture != architecture)
                throw RegistryFaults.NoPlatform(image, "linux/" + architecture, [new Platform(configuration.Architecture, configuration.Os, configuration.Variant).ToString()]);
            if (configuration.RootFs?.DiffIds is not { } ids || ids.Count != layers.Count || !ids.All(ImageReference.IsDigest))
                throw RegistryFaults.Malformed(image, "its configuration does not name every layer by a SHA-256");
            return (manifest, configuration);
        }
        catch (JsonException e)
        {
            throw RegistryFaults.Malformed(image, "its configuration is not JSON as it should be", e);
        }
    }

    /// <summary>The entry of an index for a platform: the very one, or one for all processors of the kind.</summary>
    internal static Descriptor Choose(string image, IReadOnlyList<Descriptor> manifests, string architecture)
    {
        // arm64 without a variant is v8, and amd64 is v1 (https://github.com/containerd/platforms/blob/main/database.go).
        var plain = architecture == Architectures.Arm64 ? "v8" : "v1";
        var there = manifests.Where(m => m.Platform is { Os: not Unknown }).ToList();
        var fitting = there.Where(m => m.Platform!.Os == "linux" && m.Platform.Architecture == architecture);
        return fitting.FirstOrDefault(m => string.IsNullOrEmpty(m.Platform!.Variant) || m.Platform.Variant == plain)
            // An index of one, without a word about its platform: its configuration will tell.
            ?? (manifests is [{ Platform: null } only] ? only : null)
            ?? throw RegistryFaults.NoPlatform(image, "linux/" + architecture, there.Select(m => m.Platform!.ToString()));
    }

    private static string TypeOf(string image, ManifestDocument document, string? said)
    {
        // Within the document it is signed; registries of others' images say application/octet-stream and worse.
        var type = document.MediaType ?? (MediaTypes.IsIndex(said) || MediaTypes.IsManifest(said) ? said : document.Manifests is not null ? MediaTypes.Index : document.Layers is not null ? MediaTypes.Manifest : said);
        if (!MediaTypes.IsIndex(type) && !MediaTypes.IsManifest(type))
            throw RegistryFaults.Unsupported(image, document.SchemaVersion == 1 ? "its manifest has the form of before 2016 (schema 1)" : $"its manifest is of the type {type ?? "unknown"}");
        return MediaTypes.IsIndex(type) == (document.Manifests is not null) ? type! : throw RegistryFaults.Malformed(image, $"its manifest is not the {type} that it says it is");
    }

    private static ManifestDocument Parse(string image, byte[] content, string what)
    {
        try
        {
            return JsonSerializer.Deserialize(content, RegistryJson.Default.ManifestDocument) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw RegistryFaults.Malformed(image, $"{what} is not JSON as it should be", e);
        }
    }
}
