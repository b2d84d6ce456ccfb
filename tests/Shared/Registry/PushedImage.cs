using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenShell.Tests.Registry;

/// <summary>Makes images of layers, as those who push them do.</summary>
internal static class PushedImage
{
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json", IndexType = "application/vnd.oci.image.index.v1+json";
    public const string LayerType = "application/vnd.oci.image.layer.v1.tar", ConfigType = "application/vnd.oci.image.config.v1+json";

    /// <summary>A layer to push: the blob's digest and size, and the digest of the tar that it has.</summary>
    public sealed record Layer(string Digest, long Size, string DiffId, string Type = LayerType + "+gzip");

    /// <summary>Puts a manifest of layers that are kept already; returns its digest.</summary>
    public static string Push(LoopbackRegistry registry, IReadOnlyList<Layer> layers, string architecture = "amd64", string type = ManifestType, string os = "linux")
    {
        var config = Json(new JsonObject
        {
            ["architecture"] = architecture,
            ["os"] = os,
            ["config"] = new JsonObject(),
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(l => (JsonNode?)l.DiffId)]) },
        });
        return registry.Add(Manifest(config, registry.Add(config), layers, type), type);
    }

    /// <summary>Puts gzipped layers and their manifest, under a name; returns the manifest's digest.</summary>
    public static string Push(LoopbackRegistry registry, string repository, string tag, IReadOnlyList<byte[]> tars, string architecture = "amd64")
    {
        var digest = Push(registry, [.. tars.Select(t => Gzipped(registry, t))], architecture);
        registry.Tag(repository, tag, digest);
        return digest;
    }

    /// <summary>Puts an index; returns its digest.</summary>
    public static string PushIndex(LoopbackRegistry registry, params IReadOnlyList<(string Digest, string? Platform)> manifests) => registry.Add(
        Json(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = IndexType,
            ["manifests"] = new JsonArray([.. manifests.Select(m => (JsonNode?)Entry(m.Digest, m.Platform))]),
        }),
        IndexType);

    /// <summary>Keeps a layer gzipped.</summary>
    public static Layer Gzipped(LoopbackRegistry registry, byte[] tar)
    {
        var blob = Gzip(tar);
        return new Layer(registry.Add(blob), blob.Length, DigestOf(tar));
    }

    public static byte[] Gzip(byte[] tar)
    {
        using var blob = new MemoryStream();
        using (var gzip = new GZipStream(blob, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(tar);
        return blob.ToArray();
    }

    public static byte[] Manifest(byte[] config, string configDigest, IReadOnlyList<Layer> layers, string type = ManifestType) => Json(new JsonObject
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = type,
        ["config"] = new JsonObject { ["mediaType"] = ConfigType, ["digest"] = configDigest, ["size"] = config.Length },
        ["layers"] = new JsonArray([.. layers.Select(l => (JsonNode?)new JsonObject { ["mediaType"] = l.Type, ["digest"] = l.Digest, ["size"] = l.Size })]),
    });

    public static byte[] Json(JsonNode node) => JsonSerializer.SerializeToUtf8Bytes(node);

    public static string DigestOf(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    // "linux/arm64/v8"; sizes are the registry's to know, and a test that wants a wrong one makes its own index.
    private static JsonObject Entry(string digest, string? platform)
    {
        var entry = new JsonObject { ["mediaType"] = ManifestType, ["digest"] = digest.Split('#')[0], ["size"] = int.Parse(digest.Split('#')[1], System.Globalization.CultureInfo.InvariantCulture) };
        if (platform?.Split('/') is { } words)
        {
            var shown = new JsonObject { ["os"] = words[0], ["architecture"] = words[1] };
            if (words.Length > 2)
                shown["variant"] = words[2];
            entry["platform"] = shown;
        }

        return entry;
    }
}
