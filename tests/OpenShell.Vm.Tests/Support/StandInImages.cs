using OpenShell.Vm.Images;
using OpenShell.Vm.Kernels;

namespace OpenShell.Vm.Tests.Support;

/// <summary>Images that are there, of files that nobody boots.</summary>
internal sealed class StandInImages : IImages
{
    public StandInImages(TestFolder folder)
    {
        foreach (var name in new[] { "kernel", "initramfs", "root.img" })
            File.WriteAllText(folder.File(name), name);
        Set = new ImageSet { Kernel = folder.File("kernel"), Initramfs = folder.File("initramfs"), Root = folder.File("root.img"), Key = "0123456789abcdef" };
    }

    public ImageSet Set { get; }

    public Task<ImageSet?> FindAsync(ImageRequest request, CancellationToken cancellationToken = default) => Task.FromResult<ImageSet?>(Set);

    public Task<ImageSet> EnsureAsync(ImageRequest request, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => Task.FromResult(Set);

    public Task<KernelImage> EnsureKernelAsync(string? architecture = null, bool refresh = false, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<IReadOnlyList<KernelColumn>> KernelsAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<KernelColumn> StockKernelAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<IReadOnlyList<ArtifactInfo>> ListAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<VerifyReport> VerifyAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<PruneReport> PruneAsync(PruneRequest request, CancellationToken cancellationToken = default) => throw new NotSupportedException();
}
