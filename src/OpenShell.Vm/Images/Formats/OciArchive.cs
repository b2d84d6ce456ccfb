using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenShell.Vm.Images.Formats;

/// <summary>
/// Writes a container image as one file: an OCI image layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md) in a tar, with one
/// uncompressed layer. Equal contents give equal bytes: fixed times, sorted names, root as owner.
/// </summary>
internal static class OciArchive
{
    private const string LayerType = "application/vnd.oci.image.layer.v1.tar";
    private const string ConfigType = "application/vnd.oci.image.config.v1+json";
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const string IndexType = "application/vnd.oci.image.index.v1+json";

    /// <summary>Writes the image to <paramref name="output"/>.</summary>
    public static async Task WriteAsync(ContainerImage image, Stream output, CancellationToken cancellationToken)
    {
        var layer = await LayerAsync(image, cancellationToken).ConfigureAwait(false);
        var config = Json(new JsonObject
        {
            ["architecture"] = image.Architecture,
            ["os"] = "linux",
            ["created"] = DateTimeOffset.UnixEpoch.ToString("yyyy-MM-ddTHH:mm:ssZ", System.Globalization.CultureInfo.InvariantCulture),
            ["config"] = new JsonObject
            {
                ["User"] = image.User,
                ["Entrypoint"] = Array(image.Entrypoint),
                ["Env"] = Array(image.Environment),
                ["WorkingDir"] = "/",
                ["Labels"] = new JsonObject([.. image.Labels.Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value))]),
            },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = Array([Digest(layer)]) },
            ["history"] = new JsonArray(new JsonObject { ["created_by"] = "openshell-vm" }),
        });
        var manifest = Json(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = Descriptor(ConfigType, config),
            ["layers"] = new JsonArray(Descriptor(LayerType, layer)),
        });
        var entry = Descriptor(ManifestType, manifest);
        entry["platform"] = new JsonObject { ["architecture"] = image.Architecture, ["os"] = "linux" };
        entry["annotations"] = new JsonObject
        {
            // containerd takes the image's full name from the first, other tools the tag from the second
            // (https://github.com/containerd/containerd/blob/main/core/images/annotations.go).
            ["io.containerd.image.name"] = image.Reference,
            ["org.opencontainers.image.ref.name"] = image.Reference[(image.Reference.LastIndexOf(':') + 1)..],
        };
        var index = Json(new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = IndexType, ["manifests"] = new JsonArray(entry) });

        await using var tar = new TarWriter(output, TarEntryFormat.Ustar, leaveOpen: true);
        await AddAsync(tar, "oci-layout", Json(new JsonObject { ["imageLayoutVersion"] = "1.0.0" }), cancellationToken).ConfigureAwait(false);
        await AddAsync(tar, "index.json", index, cancellationToken).ConfigureAwait(false);
        foreach (var blob in new[] { manifest, config, layer })
            await AddAsync(tar, "blobs/sha256/" + Convert.ToHexStringLower(SHA256.HashData(blob)), blob, cancellationToken).ConfigureAwait(false);
    }

    private static async Task<byte[]> LayerAsync(ContainerImage image, CancellationToken cancellationToken)
    {
        using var layer = new MemoryStream();

        // GNU's format: .NET writes its own process number into pax headers.
        await using (var tar = new TarWriter(layer, TarEntryFormat.Gnu, leaveOpen: true))
        {
            var folders = image.Files.SelectMany(f => Parents(f.Path)).Concat(image.Folders).Distinct().Order(StringComparer.Ordinal);
            foreach (var folder in folders)
                await tar.WriteEntryAsync(Entry(TarEntryType.Directory, folder + "/", 0b111_101_101), cancellationToken).ConfigureAwait(false);
            foreach (var file in image.Files.OrderBy(f => f.Path, StringComparer.Ordinal))
            {
                var entry = Entry(file.LinkTarget is null ? TarEntryType.RegularFile : TarEntryType.SymbolicLink, file.Path, (UnixFileMode)(file.Executable ? 0b111_101_101 : 0b110_100_100));
                if (file.LinkTarget is not null)
                    entry.LinkName = file.LinkTarget;
                else
                    entry.DataStream = new MemoryStream(file.Content, writable: false);
                await tar.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
            }
        }

        return layer.ToArray();
    }

    private static GnuTarEntry Entry(TarEntryType type, string name, int mode) => Entry(type, name, (UnixFileMode)mode);

    private static GnuTarEntry Entry(TarEntryType type, string name, UnixFileMode mode) =>
        new(type, name) { Mode = mode, ModificationTime = DateTimeOffset.UnixEpoch, Uid = 0, Gid = 0 };

    private static async Task AddAsync(TarWriter tar, string name, byte[] content, CancellationToken cancellationToken)
    {
        var entry = new UstarTarEntry(TarEntryType.RegularFile, name)
        {
            Mode = (UnixFileMode)0b110_100_100,
            ModificationTime = DateTimeOffset.UnixEpoch,
            DataStream = new MemoryStream(content, writable: false),
        };
        await tar.WriteEntryAsync(entry, cancellationToken).ConfigureAwait(false);
    }

    private static IEnumerable<string> Parents(string path)
    {
        for (var slash = path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = path.IndexOf('/', slash + 1))
            yield return path[..slash];
    }

    private static JsonObject Descriptor(string type, byte[] blob) => new() { ["mediaType"] = type, ["digest"] = Digest(blob), ["size"] = blob.Length };

    private static string Digest(byte[] blob) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(blob));

    private static JsonArray Array(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode?)t)]);

    private static byte[] Json(JsonObject json) => JsonSerializer.SerializeToUtf8Bytes(json, OciJson.Default.JsonObject);
}

/// <summary>A container image of one layer, as data.</summary>
internal sealed record ContainerImage
{
    /// <summary>Such as <c>localhost/pause:1</c>.</summary>
    public required string Reference { get; init; }

    /// <summary>OCI's (Go's) name: <c>amd64</c>, <c>arm64</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>The program and its fixed arguments.</summary>
    public required IReadOnlyList<string> Entrypoint { get; init; }

    /// <summary><c>NAME=VALUE</c>.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Numeric <c>UID:GID</c>, so that Kubernetes can check <c>runAsNonRoot</c>.</summary>
    public required string User { get; init; }

    /// <summary>Labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Folders besides those that files are in.</summary>
    public IReadOnlyList<string> Folders { get; init; } = [];

    /// <summary>The files.</summary>
    public required IReadOnlyList<ImageFile> Files { get; init; }
}

/// <summary>A file, or a symbolic link, of an image.</summary>
/// <param name="Path">Without leading slash.</param>
/// <param name="Content">Its bytes.</param>
/// <param name="Executable">Mode 0755 instead of 0644.</param>
/// <param name="LinkTarget">Where it points to, for a link.</param>
internal sealed record ImageFile(string Path, byte[] Content, bool Executable = false, string? LinkTarget = null);

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonObject))]
internal sealed partial class OciJson : System.Text.Json.Serialization.JsonSerializerContext;
