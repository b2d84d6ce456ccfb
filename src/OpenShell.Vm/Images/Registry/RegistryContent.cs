using System.Net;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Downloads;

namespace OpenShell.Vm.Images.Registry;

/// <summary>An image in a registry (https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pull). Blobs stay in the cache, named by their hashes; a download that breaks off goes on.</summary>
internal sealed class RegistryContent : ImageContent
{
    // What does not answer within this does not answer: manifests are small.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ImageReference _reference;
    private readonly RegistryTransport _transport;
    private readonly Downloader _downloader;
    private readonly HttpClient _http;
    private readonly CacheLayout _layout;

    public RegistryContent(ImageReference reference, DockerCredentials credentials, CacheLayout layout)
    {
        _reference = reference;
        _layout = layout;
        _transport = new RegistryTransport(reference, credentials);
        _downloader = new Downloader(layout, transport: _transport);
        _http = new HttpClient(_transport, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
    }

    public override string Image => _reference.ToString();

    public override async Task<FoundManifest> RootAsync(CancellationToken cancellationToken)
    {
        var found = await FetchAsync("manifests/" + _reference.Wanted, RegistryLimits.Manifest, cancellationToken).ConfigureAwait(false);
        return _reference.Digest is null || _reference.Digest == found.Digest ? found : throw RegistryFaults.Digest(Image, "The manifest", _reference.Digest, found.Digest);
    }

    /// <inheritdoc/>
    /// <remarks>Manifests are asked for as manifests, all else as blobs. Both stay in the cache: a build that begins anew needs no network for them.</remarks>
    public override async Task<byte[]> ReadAsync(Descriptor descriptor, int limit, CancellationToken cancellationToken)
    {
        var isManifest = MediaTypes.IsIndex(descriptor.MediaType) || MediaTypes.IsManifest(descriptor.MediaType);
        var what = isManifest ? "A manifest" : "The configuration";
        CheckSize(descriptor, limit, what);
        var kept = _layout.Package(descriptor.Sha256);
        if (File.Exists(kept) && new FileInfo(kept).Length == descriptor.Size && await File.ReadAllBytesAsync(kept, cancellationToken).ConfigureAwait(false) is var there && DigestOf(there) == descriptor.Digest)
            return there;
        var found = await FetchAsync((isManifest ? "manifests/" : "blobs/") + descriptor.Digest, limit, cancellationToken).ConfigureAwait(false);
        var content = Checked(found.Content, descriptor, what);
        await HostFiles.WriteWholeAsync(kept, content, cancellationToken).ConfigureAwait(false);
        return content;
    }

    public override async Task<Stream> OpenAsync(Descriptor descriptor, Action<long> onProgress, CancellationToken cancellationToken)
    {
        CheckSize(descriptor, RegistryLimits.Compressed, "A layer");
        var download = new Download($"a layer of {Image}", Address("blobs/" + descriptor.Digest), descriptor.Sha256, "Run the same again: what has come is kept. A copy of the image on this machine is oci:FOLDER or PATH.tar.")
        {
            Size = descriptor.Size,
        };
        var path = await _downloader.FetchAsync(download, (done, _) => onProgress(done), cancellationToken).ConfigureAwait(false);
        onProgress(descriptor.Size);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _http.Dispose();
            _transport.Dispose();
        }

        base.Dispose(disposing);
    }

    private Uri Address(string path) => new(_reference.Registry, $"v2/{_reference.Repository}/{path}");

    private async Task<FoundManifest> FetchAsync(string path, int limit, CancellationToken cancellationToken)
    {
        var address = Address(path);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            if (path.StartsWith("manifests/", StringComparison.Ordinal))
                request.Headers.TryAddWithoutValidation("Accept", MediaTypes.Accepted);
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token).ConfigureAwait(false);
            if (answer.StatusCode == HttpStatusCode.NotFound)
                throw RegistryFaults.NotFound(Image, await RegistryTransport.SaidAsync(answer, patience.Token).ConfigureAwait(false));
            if (!answer.IsSuccessStatusCode)
                throw RegistryFaults.Refused(Image, address, answer.StatusCode, await RegistryTransport.SaidAsync(answer, patience.Token).ConfigureAwait(false));
            var content = await RegistryTransport.ReadAsync(answer, limit, patience.Token).ConfigureAwait(false)
                ?? throw RegistryFaults.TooLarge(Image, $"its {path.Split('/')[0].TrimEnd('s')} has more than {limit} bytes");
            return new FoundManifest(content, answer.Content.Headers.ContentType?.MediaType, DigestOf(content));
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw RegistryFaults.Unreachable(Image, address, e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw RegistryFaults.Unreachable(Image, address, new TimeoutException($"there was no answer within {Patience.TotalSeconds:0} s", e));
        }
    }
}
