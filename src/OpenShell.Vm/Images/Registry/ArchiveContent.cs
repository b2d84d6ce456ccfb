using System.Formats.Tar;
using System.Text.Json;
using OpenShell.Vm.Images.Formats;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Images.Registry;

/// <summary>An image in a tar: an OCI layout, or what <c>docker save</c> wrote. Nothing is unpacked.</summary>
internal sealed class ArchiveContent : ImageContent
{
    private const string SavedManifest = "manifest.json";

    private readonly BaseImageSource.Archive _source;
    private readonly Dictionary<string, (long At, long Length)> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _saved = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _made = new(StringComparer.Ordinal);

    private ArchiveContent(BaseImageSource.Archive source) => _source = source;

    public override string Image => _source.ToString();

    /// <summary>Reads all headers.</summary>
    /// <exception cref="Faults.FaultException">It is not there, or no such archive.</exception>
    public static ArchiveContent Open(BaseImageSource.Archive source)
    {
        if (!File.Exists(source.File))
            throw LayoutContent.Missing(source.File, Directory.Exists(source.File) ? "is a folder: write oci:FOLDER" : "is not there");
        var archive = new ArchiveContent(source);
        var links = new List<(string Name, string Target)>();
        try
        {
            using var file = RegularFile.OpenRead(source.File);
            using var reader = new TarReader(file);
            while (reader.GetNextEntry() is { } entry)
            {
                var name = Normal(entry.Name);
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                    archive._files[name] = (entry.DataOffset, entry.Length);
                else if (entry.EntryType is TarEntryType.SymbolicLink or TarEntryType.HardLink)
                    links.Add((name, entry.EntryType == TarEntryType.HardLink ? Normal(entry.LinkName) : Normal(Beside(name, entry.LinkName))));
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException or IOException)
        {
            throw RegistryFaults.Unsupported(archive.Image, $"it is no tar ({e.Message.TrimEnd('.')}); a compressed archive has to be decompressed first");
        }

        // Of layers that are equal, older 'docker save' has one and links to it.
        foreach (var (name, target) in links)
        {
            if (archive._files.TryGetValue(target, out var there))
                archive._files.TryAdd(name, there);
        }

        return archive;
    }

    public override async Task<FoundManifest> RootAsync(CancellationToken cancellationToken)
    {
        if (_files.ContainsKey(LayoutContent.IndexFile))
        {
            var index = LayoutContent.Named(Image, await BytesAsync(LayoutContent.IndexFile, RegistryLimits.Manifest, cancellationToken).ConfigureAwait(false), _source.Name);
            return new FoundManifest(index, MediaTypes.Index, DigestOf(index));
        }

        if (!_files.ContainsKey(SavedManifest))
            throw RegistryFaults.Unsupported(Image, $"it has neither {LayoutContent.IndexFile} nor {SavedManifest}");
        return await SavedAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async Task<byte[]> ReadAsync(Descriptor descriptor, int limit, CancellationToken cancellationToken)
    {
        CheckSize(descriptor, limit, "A manifest or configuration");
        if (_files.Count > 0 && _made.Count == 0 && !_files.ContainsKey(LayoutContent.IndexFile))
            await SavedAsync(cancellationToken).ConfigureAwait(false);
        return _made.TryGetValue(descriptor.Digest!, out var made)
            ? made
            : Checked(await BytesAsync(Existing(descriptor), limit, cancellationToken).ConfigureAwait(false), descriptor, "A manifest or configuration");
    }

    public override async Task<Stream> OpenAsync(Descriptor descriptor, Action<long> onProgress, CancellationToken cancellationToken)
    {
        CheckSize(descriptor, RegistryLimits.Compressed, "A layer");

        // What 'docker save' wrote has no digest but that of the unpacked layer, which is compared when it is unpacked.
        if (_saved.TryGetValue(descriptor.Digest!, out var saved))
            return Open(saved);
        var path = Existing(descriptor);
        await using (var first = Open(path))
        {
            var got = "sha256:" + Convert.ToHexStringLower(await System.Security.Cryptography.SHA256.HashDataAsync(first, cancellationToken).ConfigureAwait(false));
            if (got != descriptor.Digest || _files[path].Length != descriptor.Size)
                throw RegistryFaults.Digest(Image, "A layer", descriptor.Digest!, got);
        }

        onProgress(descriptor.Size);
        return Open(path);
    }

    /// <summary>Makes of Docker's own list the manifest that it does not have.</summary>
    private async Task<FoundManifest> SavedAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<SavedImage> images;
        try
        {
            images = JsonSerializer.Deserialize(await BytesAsync(SavedManifest, RegistryLimits.Manifest, cancellationToken).ConfigureAwait(false), RegistryJson.Default.IReadOnlyListSavedImage) ?? [];
            var chosen = Choose(images);
            if (chosen is not { Config: { } configName, Layers: { } layerNames } || layerNames.Append(configName).FirstOrDefault(n => !_files.ContainsKey(Normal(n))) is { } missing)
                throw RegistryFaults.Malformed(Image, $"{SavedManifest} names files that are not there");
            var config = await BytesAsync(Normal(configName), RegistryLimits.Configuration, cancellationToken).ConfigureAwait(false);
            var ids = JsonSerializer.Deserialize(config, RegistryJson.Default.ImageConfiguration)?.RootFs?.DiffIds ?? [];
            if (ids.Count != layerNames.Count || !ids.All(ImageReference.IsDigest))
                throw RegistryFaults.Malformed(Image, "its configuration does not name every layer by a SHA-256");
            for (var i = 0; i < ids.Count; i++)
                _saved[ids[i]] = Normal(layerNames[i]);
            _made[DigestOf(config)] = config;
            var manifest = JsonSerializer.SerializeToUtf8Bytes(
                new ManifestDocument
                {
                    SchemaVersion = 2,
                    MediaType = MediaTypes.DockerManifest,
                    Config = new Descriptor { MediaType = MediaTypes.DockerConfig, Digest = DigestOf(config), Size = config.Length },
                    Layers = [.. ids.Select((id, i) => new Descriptor { MediaType = MediaTypes.DockerLayer, Digest = id, Size = _files[Normal(layerNames[i])].Length })],
                },
                RegistryJson.Default.ManifestDocument);
            _made[DigestOf(manifest)] = manifest;
            return new FoundManifest(manifest, MediaTypes.DockerManifest, DigestOf(manifest));
        }
        catch (JsonException e)
        {
            throw RegistryFaults.Malformed(Image, $"{SavedManifest} or the configuration is not JSON as it should be", e);
        }
    }

    private SavedImage Choose(IReadOnlyList<SavedImage> images)
    {
        var fitting = _source.Name is null ? images : [.. images.Where(i => i.RepoTags?.Contains(_source.Name) is true)];
        return fitting is [var only]
            ? only
            : throw Cache.ImageFaults.Make(
                "image.base-image-not-found",
                fitting.Count == 0 ? $"{Image} has no image of that name." : $"{Image} has more than one image.",
                $"Name one of these: docker-archive:{_source.File}:NAME with {string.Join(", ", images.SelectMany(i => i.RepoTags ?? []).Take(10).DefaultIfEmpty("no name to choose by"))}.");
    }

    private string Existing(Descriptor descriptor) => "blobs/sha256/" + descriptor.Sha256 is var path && _files.ContainsKey(path)
        ? path
        : throw RegistryFaults.Malformed(Image, $"the blob {descriptor.Digest} is not there");

    private async Task<byte[]> BytesAsync(string name, int limit, CancellationToken cancellationToken)
    {
        var (_, length) = _files[name];
        if (length > limit)
            throw RegistryFaults.TooLarge(Image, $"{name} has {length} bytes");
        var content = new byte[length];
        await using var stream = Open(name);
        await stream.ReadExactlyAsync(content, cancellationToken).ConfigureAwait(false);
        return content;
    }

    private PartOfFile Open(string name) => new(_source.File, _files[name].At, _files[name].Length);

    private static string Beside(string name, string target) => name.LastIndexOf('/') is var slash and > 0 ? Resolve(name[..slash] + "/" + target) : target;

    private static string Resolve(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/'))
        {
            if (part == ".." && parts.Count > 0)
                parts.RemoveAt(parts.Count - 1);
            else if (part is not ("" or "." or ".."))
                parts.Add(part);
        }

        return string.Join('/', parts);
    }

    private static string Normal(string name) => name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
}
