using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;
using OpenShell.Vm.Kernels;

namespace OpenShell.Gateway.Cli.Tests.Dummy;

/// <summary>Images that are never read.</summary>
internal sealed class DummyImages : IImages
{
    private static readonly ImageSet Set = new() { Kernel = "/cache/kernel", Initramfs = "/cache/initramfs", Root = "/cache/root", Key = "0123456789abcdef" };

    private static readonly ArtifactInfo Artifact = new()
    {
        Kind = "kernel",
        Key = "0123456789abcdef0123",
        Folder = "/cache/artifacts/kernel/0123",
        Version = "Debian 6.1",
        Size = 12_345_678,
        BuiltAt = DateTimeOffset.UnixEpoch,
        Current = true,
        Instances = ["default"],
    };

    public Task<ImageSet?> FindAsync(ImageRequest request, CancellationToken cancellationToken = default) => Task.FromResult<ImageSet?>(Set);

    public Task<ImageSet> EnsureAsync(ImageRequest request, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        progress?.Report(new BuildProgress { Step = "kernel", Title = "kernel", State = BuildState.Cached, Elapsed = TimeSpan.Zero, Bytes = 12_345_678 });
        progress?.Report(new BuildProgress { Step = "root", Title = "root image", State = BuildState.Started, Elapsed = TimeSpan.Zero });
        progress?.Report(new BuildProgress { Step = "root", Title = "root image", State = BuildState.Running, Elapsed = TimeSpan.FromSeconds(1), Share = 0.5 });
        progress?.Report(new BuildProgress { Step = "root", Title = "root image", State = BuildState.Completed, Elapsed = TimeSpan.FromSeconds(41.5), Bytes = 383_000_000 });
        return Task.FromResult(Set);
    }

    public Task<KernelImage> EnsureKernelAsync(string? architecture = null, bool refresh = false, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Task.FromResult(new KernelImage
        {
            Version = "6.12.1-openshell (Debian 6.12.1-1)",
            Key = "0123456789abcdef",
            Kernel = "/cache/kernel",
            Configuration = "/cache/config",
            Firmware = "/cache/libkrunfw.so.5",
            Provenance = "/cache/provenance.json",
        });

    public Task<IReadOnlyList<KernelColumn>> KernelsAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<KernelColumn>>([new KernelColumn("one", KernelConfiguration.Parse("CONFIG_VETH=y"))]);

    public Task<KernelColumn> StockKernelAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) =>
        throw new FaultException(new Fault { Code = "image.mirror-unreachable", What = "The mirror does not answer.", Remedy = "Try again later." });

    public Task<IReadOnlyList<ArtifactInfo>> ListAsync(CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<ArtifactInfo>>([Artifact]);

    public Task<VerifyReport> VerifyAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default) => Task.FromResult(new VerifyReport(
        [Artifact],
        [new Fault { Code = "image.artifact-corrupt", What = "/cache/root is not as it was built.", Remedy = "Build it again with 'gateway image build'." }],
        12_345_678));

    public Task<PruneReport> PruneAsync(PruneRequest request, CancellationToken cancellationToken = default) =>
        Task.FromResult(new PruneReport([new PrunedPath("/cache/building/root-1", 1_000_000, "left by an interrupted build")], [Artifact], 1_000_000));
}
