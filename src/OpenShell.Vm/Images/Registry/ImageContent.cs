using System.Security.Cryptography;
using OpenShell.Vm.Images.Cache;

namespace OpenShell.Vm.Images.Registry;

/// <summary>The manifests and blobs of an image, wherever they are. All that it gives has been compared with its digest and size.</summary>
internal abstract class ImageContent : IDisposable
{
    /// <summary>The image, for messages.</summary>
    public abstract string Image { get; }

    /// <summary>What the name leads to: an index or a manifest.</summary>
    public abstract Task<FoundManifest> RootAsync(CancellationToken cancellationToken);

    /// <summary>A manifest or a configuration.</summary>
    public abstract Task<byte[]> ReadAsync(Descriptor descriptor, int limit, CancellationToken cancellationToken);

    /// <summary>A layer, as it is kept: compressed as a rule.</summary>
    /// <param name="descriptor">Which.</param>
    /// <param name="onProgress">Bytes fetched.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public abstract Task<Stream> OpenAsync(Descriptor descriptor, Action<long> onProgress, CancellationToken cancellationToken);

    /// <summary>Opens what a source names.</summary>
    public static ImageContent Open(BaseImageSource source, CacheLayout layout) => source switch
    {
        BaseImageSource.InRegistry(var reference) => new RegistryContent(reference, DockerCredentials.OfUser(), layout),
        BaseImageSource.Layout folder => new LayoutContent(folder),
        BaseImageSource.Archive archive => ArchiveContent.Open(archive),
        _ => throw new ArgumentOutOfRangeException(nameof(source)),
    };

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of what it has open.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>Compares bytes with what promised them.</summary>
    /// <exception cref="Faults.FaultException"><c>image.digest-mismatch</c>.</exception>
    protected byte[] Checked(byte[] content, Descriptor descriptor, string what)
    {
        var got = DigestOf(content);
        return got == descriptor.Digest && content.Length == descriptor.Size
            ? content
            : throw RegistryFaults.Digest(Image, what, $"{descriptor.Digest} of {descriptor.Size} bytes", $"{got} of {content.Length} bytes");
    }

    /// <summary>Refuses what is larger than it may be, before it is read.</summary>
    protected void CheckSize(Descriptor descriptor, long limit, string what)
    {
        if (!descriptor.IsSound)
            throw RegistryFaults.Malformed(Image, $"{what} has no digest by SHA-256 ('{descriptor.Digest}'), or no size");
        if (descriptor.Size > limit)
            throw RegistryFaults.TooLarge(Image, $"{what} has {descriptor.Size} bytes");
    }

    public static string DigestOf(ReadOnlySpan<byte> content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));
}

/// <summary>A manifest as it was found.</summary>
/// <param name="Content">Its bytes.</param>
/// <param name="MediaType">What its giver says it is; <see langword="null"/>: it says nothing.</param>
/// <param name="Digest">Of its bytes.</param>
internal sealed record FoundManifest(byte[] Content, string? MediaType, string Digest);
