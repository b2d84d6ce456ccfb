using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Images;

/// <summary>Builds images without Docker, from Debian's packages and this repository's sources, into a content-addressed cache.</summary>
public sealed class ImageBuilder : IImages
{
    private readonly HostDirectories _directories;

    /// <summary>A builder whose cache is <see cref="HostDirectories.Cache"/>.</summary>
    public ImageBuilder(HostDirectories directories)
    {
        ArgumentNullException.ThrowIfNull(directories);
        _directories = directories;
    }

    /// <inheritdoc/>
    public Task<ImageSet?> FindAsync(ImageRequest request, CancellationToken cancellationToken = default) => throw new NotImplementedException(_directories.Cache);

    /// <inheritdoc/>
    public Task<ImageSet> EnsureAsync(ImageRequest request, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task<IReadOnlyList<ArtifactInfo>> ListAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task<VerifyReport> VerifyAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public Task<PruneReport> PruneAsync(PruneRequest request, CancellationToken cancellationToken = default) => throw new NotImplementedException();
}
