using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images.Formats;

namespace OpenShell.Vm.Deliveries;

/// <summary>
/// Whether a file is an archive of container images that a machine can run: an OCI image layout
/// (https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md) or what <c>docker save</c> writes, as tar or tar.gz. Of a tar.zst only the first bytes are looked at.
/// </summary>
internal static class ImageArchiveCheck
{
    // Of the blobs, only manifests and configurations are read; layers are larger, or are thrown away.
    private const int LargestDocument = 1 << 20;

    /// <summary>What is wrong with it; <see langword="null"/>: nothing.</summary>
    public static Fault? Fault(string path, string architecture)
    {
        try
        {
            using var file = File.OpenRead(path);
            var magic = new byte[4];
            var length = file.ReadAtLeast(magic, 4, throwOnEndOfStream: false);
            file.Position = 0;
            if (CompressionMagic.IsZstandard(magic.AsSpan(0, length)))
                return null;
            using Stream tar = CompressionMagic.IsGzip(magic.AsSpan(0, length)) ? new GZipStream(file, CompressionMode.Decompress) : file;
            var architectures = Architectures(Documents(tar, seekable: ReferenceEquals(tar, file)));
            return architectures.Count == 0 ? NoImage(path, "it has neither index.json nor manifest.json")
                : architectures.Contains(architecture) || architectures.Contains("") ? null
                : DeliveryFaults.Make(
                    "image-architecture",
                    $"--images {path} has images for {string.Join(" and ", architectures)}, and the machine is {architecture}.",
                    $"Save the image for that platform: 'docker pull --platform linux/{architecture} IMAGE', then 'docker save'.");
        }
        catch (EndOfStreamException)
        {
            return DeliveryFaults.Make("image-truncated", $"--images {path} is cut off.", "Copy or save it again.");
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or JsonException or InvalidOperationException)
        {
            return NoImage(path, "it is no tar");
        }
    }

    private static Fault NoImage(string path, string why) => DeliveryFaults.Make(
        "image-invalid", $"--images {path} is no archive of container images: {why}.", "Make one with 'docker save IMAGE -o FILE', 'podman save' or 'skopeo copy docker://IMAGE oci-archive:FILE'.");

    /// <summary>Every JSON document of the archive, by its name.</summary>
    private static Dictionary<string, JsonNode?> Documents(Stream stream, bool seekable)
    {
        var documents = new Dictionary<string, JsonNode?>();
        using var reader = new TarReader(stream);
        while (reader.GetNextEntry() is { } entry)
        {
            if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) || entry.DataStream is not { } data)
                continue;
            // A reader that can skip does not notice that what it skips is not there.
            if (seekable && stream.Length < entry.DataOffset + entry.Length)
                throw new EndOfStreamException();
            if (entry.Length > LargestDocument)
                continue;
            var bytes = new byte[entry.Length];
            data.ReadExactly(bytes);
            if (bytes.Length > 0 && bytes[0] is (byte)'{' or (byte)'[')
                documents[entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name] = Parse(bytes);
        }

        return documents;
    }

    private static JsonNode? Parse(byte[] bytes)
    {
        try
        {
            return JsonNode.Parse(bytes);
        }
        catch (JsonException)
        {
            // A layer's file may begin like one.
            return null;
        }
    }

    /// <summary>Of all images; an empty text for one that does not tell.</summary>
    private static HashSet<string> Architectures(Dictionary<string, JsonNode?> documents)
    {
        var found = new HashSet<string>();
        foreach (var image in documents.GetValueOrDefault("manifest.json") as JsonArray ?? [])
            found.Add(Architecture(image?["Config"]?.GetValue<string>()));
        foreach (var descriptor in documents.GetValueOrDefault("index.json")?["manifests"] as JsonArray ?? [])
            Follow(descriptor);
        return found;

        void Follow(JsonNode? descriptor)
        {
            var document = Blob(descriptor?["digest"]?.GetValue<string>());
            if (document?["manifests"] is JsonArray more)
            {
                foreach (var inner in more)
                    Follow(inner);
            }
            else if (document is not null)
            {
                // What is not "linux/..." is an attestation beside the image.
                if (descriptor?["platform"]?["architecture"]?.GetValue<string>() is not "unknown")
                    found.Add(Blob(document["config"]?["digest"]?.GetValue<string>())?["architecture"]?.GetValue<string>() ?? "");
            }
            else if (descriptor?["platform"]?["architecture"]?.GetValue<string>() is null)
            {
                found.Add("");
            }
        }

        JsonNode? Blob(string? digest) => digest is null ? null : documents.GetValueOrDefault("blobs/" + digest.Replace(':', '/'));

        string Architecture(string? config) => config is null ? "" : documents.GetValueOrDefault(config)?["architecture"]?.GetValue<string>() ?? "";
    }
}
