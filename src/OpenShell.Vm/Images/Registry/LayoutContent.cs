using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Images.Registry;

/// <summary>An image in a folder (https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md).</summary>
internal sealed class LayoutContent(BaseImageSource.Layout source) : ImageContent
{
    public const string IndexFile = "index.json";

    private const string NameAnnotation = "org.opencontainers.image.ref.name", ContainerdAnnotation = "io.containerd.image.name";

    public override string Image => source.ToString();

    public override async Task<FoundManifest> RootAsync(CancellationToken cancellationToken)
    {
        var path = Path.Combine(source.Folder, IndexFile);
        if (!File.Exists(path) || RegularFile.WhyNot(path) is not null)
            throw Missing(source.Folder, Directory.Exists(source.Folder) ? $"has no {IndexFile}" : "is not there");
        if (new FileInfo(path).Length > RegistryLimits.Manifest)
            throw RegistryFaults.TooLarge(Image, $"{IndexFile} has more than {RegistryLimits.Manifest} bytes");
        var index = Named(Image, await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false), source.Name);
        return new FoundManifest(index, MediaTypes.Index, DigestOf(index));
    }

    public override async Task<byte[]> ReadAsync(Descriptor descriptor, int limit, CancellationToken cancellationToken)
    {
        CheckSize(descriptor, limit, "A manifest or configuration");
        var path = Existing(descriptor);
        return new FileInfo(path).Length == descriptor.Size
            ? Checked(await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false), descriptor, "A manifest or configuration")
            : throw RegistryFaults.Digest(Image, "A manifest or configuration", $"{descriptor.Size} bytes", $"{new FileInfo(path).Length} bytes");
    }

    public override async Task<Stream> OpenAsync(Descriptor descriptor, Action<long> onProgress, CancellationToken cancellationToken)
    {
        CheckSize(descriptor, RegistryLimits.Compressed, "A layer");
        var path = Existing(descriptor);
        var done = 0L;
        var got = await HostFiles.Sha256Async(path, cancellationToken, bytes => onProgress(done += bytes)).ConfigureAwait(false);
        return got == descriptor.Sha256 ? RegularFile.OpenRead(path) : throw RegistryFaults.Digest(Image, "A layer", descriptor.Digest!, "sha256:" + got);
    }

    /// <summary>An index with only the images of a name; without one, as it is.</summary>
    internal static byte[] Named(string image, byte[] index, string? name)
    {
        ManifestDocument document;
        try
        {
            document = JsonSerializer.Deserialize(index, RegistryJson.Default.ManifestDocument) ?? throw new JsonException("null");
        }
        catch (JsonException e)
        {
            throw RegistryFaults.Malformed(image, $"{IndexFile} is not JSON as it should be", e);
        }

        var there = document.Manifests ?? throw RegistryFaults.Malformed(image, $"{IndexFile} names no manifests");
        if (there.Contains(null!))
            throw RegistryFaults.Malformed(image, $"{IndexFile} has an empty place for a manifest");
        var names = there.Select(NameOf).OfType<string>().Distinct().ToList();
        var chosen = name is null ? there : [.. there.Where(m => NameOf(m) == name || m.Annotations?.GetValueOrDefault(ContainerdAnnotation) == name)];
        if (chosen.Count == 0 || (name is null && names.Count > 1))
        {
            throw ImageFaults.Make(
                "image.base-image-not-found",
                chosen.Count == 0 ? $"{image} has no image of that name." : $"{image} has more than one image.",
                names.Count == 0 ? "Leave the name away." : $"Name one of these behind a colon: {string.Join(", ", names.Take(10))}.");
        }

        // Where nothing tells the platforms apart, the first is meant, and its configuration tells whether it fits.
        var plain = chosen is [{ Platform: null } first, ..] ? [first] : chosen;
        return JsonSerializer.SerializeToUtf8Bytes(new ManifestDocument { SchemaVersion = 2, MediaType = MediaTypes.Index, Manifests = plain }, RegistryJson.Default.ManifestDocument);
    }

    internal static FaultException Missing(string path, string why) => new(ImageFaults.Usage(
        "image.base-image-not-found", $"{path} {why}.", "Give --base-image an OCI layout as oci:FOLDER, or an archive as PATH.tar: 'skopeo copy docker://NAME oci:FOLDER' and 'docker save NAME -o PATH.tar' make them."));

    private static string? NameOf(Descriptor manifest) => manifest.Annotations?.GetValueOrDefault(NameAnnotation);

    // The digest is of hexadecimal digits only: CheckSize has seen to it.
    private string Existing(Descriptor descriptor) => Path.Combine(source.Folder, "blobs", "sha256", descriptor.Sha256) is var path && File.Exists(path) && RegularFile.WhyNot(path) is null
        ? path
        : throw RegistryFaults.Malformed(Image, $"the blob {descriptor.Digest} is not there");
}
