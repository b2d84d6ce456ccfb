using System.Security.Cryptography;
using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Bundles;

/// <summary>A bundle on disk, opened: its manifest has been read, nothing of it believed yet (<see cref="BundleVerifier"/>).</summary>
public sealed class BundleFile : IDisposable
{
    private BundleFile(string path, FileStream stream) => (Path, Stream) = (path, stream);

    /// <summary>Absolute path.</summary>
    public string Path { get; }

    /// <summary>What the bundle says of itself.</summary>
    public BundleManifest Manifest { get; private set; } = null!;

    /// <summary>The SHA-256 of the manifest as it is in the file. It names every part by its hash, and so stands for the whole bundle.</summary>
    public string Digest { get; private set; } = "";

    internal FileStream Stream { get; }

    /// <summary>Bytes of the manifest's text.</summary>
    internal int ManifestSize { get; private set; }

    /// <summary>Opens a bundle and reads what it holds.</summary>
    /// <exception cref="FaultException"><c>bundle.missing</c>, <c>bundle.unreadable</c>, <c>bundle.newer-format</c>.</exception>
    public static BundleFile Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!File.Exists(path))
            throw BundleFaults.Missing(path);
        BundleFile? bundle = null;
        try
        {
            bundle = new BundleFile(path, new FileStream(path, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.Read, BufferSize = 0 }));
            bundle.ReadManifest();
            return bundle;
        }
        catch (Exception e)
        {
            bundle?.Dispose();
            if (e is IOException or UnauthorizedAccessException)
                throw BundleFaults.Unreadable(path, e.Message.TrimEnd('.'), e);
            throw;
        }
    }

    /// <summary>The bill of materials, its hash compared.</summary>
    /// <exception cref="FaultException"><c>bundle.damaged</c>.</exception>
    public byte[] ReadSbom() => BundleVerifier.ReadPart(this, BundleNames.Sbom);

    /// <inheritdoc/>
    public void Dispose() => Stream.Dispose();

    /// <summary>Why it cannot be started on this machine; <see langword="null"/>: it can.</summary>
    internal Fault? Unfit => Manifest.Architecture == Architectures.Host ? null : BundleFaults.OtherArchitecture(Path, Manifest.Architecture, Architectures.Host);

    /// <summary>Fills a buffer from a place in the file; fewer bytes only where the file ends.</summary>
    internal int Read(long at, Span<byte> buffer) => RegularFile.ReadFully(Stream.SafeFileHandle, at, buffer);

    private void ReadManifest()
    {
        var first = new byte[BundleHeader.Block];
        if (Read(0, first) < first.Length)
            throw BundleFaults.Unreadable(Path, Stream.Length == 0 ? "it is empty" : "it is cut off within its first block");
        var header = BundleHeader.Parse(first);
        if (header is not null && header.Name != BundleNames.Manifest)
            throw BundleFaults.Unreadable(Path, $"it is a tar, but does not begin with {BundleNames.Manifest}");
        if (header is null && !first.AsSpan().StartsWith("bundle.json"u8) && !BundleHeader.HasMagic(first))
            throw BundleFaults.Unreadable(Path, "it is no tar");

        // The text ends where the zeros behind it begin, whatever the header says: it is never a multiple of a block (BundleWriter).
        var text = new byte[(int)Math.Min(Stream.Length - BundleHeader.Block, BundleNames.LongestManifest)];
        text = text[..Read(BundleHeader.Block, text)];
        var end = Array.IndexOf(text, (byte)0);
        if (end < 0 && text.Length >= BundleNames.LongestManifest)
            throw BundleFaults.Unreadable(Path, $"{BundleNames.Manifest} is longer than {BundleNames.LongestManifest >> 20} MiB");
        text = end < 0 ? text : text[..end];
        ManifestSize = text.Length;
        Digest = Convert.ToHexStringLower(SHA256.HashData(text));
        Manifest = Parse(text, isCutOff: end < 0);
    }

    private BundleManifest Parse(byte[] text, bool isCutOff)
    {
        try
        {
            // First of all: of a newer format nothing else is known.
            using var json = JsonDocument.Parse(text);
            if (json.RootElement.TryGetProperty("formatVersion", out var format) && format.TryGetInt32(out var version) && version > BundleManifest.CurrentFormat)
                throw new FaultException(BundleFaults.NewerFormat(Path, version));
            var manifest = json.Deserialize(BundleJson.Default.BundleManifest) ?? throw new JsonException("it is null");
            return BundleRules.FirstBroken(manifest) is { } broken ? throw new JsonException(broken) : manifest;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw BundleFaults.Unreadable(Path, isCutOff ? $"the file is cut off within {BundleNames.Manifest}" : $"{BundleNames.Manifest} is damaged: {e.Message.TrimEnd('.')}", e);
        }
    }
}
