using OpenShell.Vm.Distributions;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Images;

/// <summary>
/// The artifacts that machines boot from: found in the cache, or built. All failures that a user can meet are <see cref="Faults.FaultException"/>s
/// with the stage <see cref="Timeline.BootStages.Image"/>. Safe for use by several processes at once: what one builds, the others wait for.
/// </summary>
public interface IImages
{
    /// <summary>The set that <see cref="EnsureAsync"/> would return without building anything, or <see langword="null"/> if something is missing. Reads only the disk, no network; under 100 ms.</summary>
    /// <exception cref="Faults.FaultException">A cached artifact is corrupt (<c>image.artifact-corrupt</c>), or there is no source tree (<c>image.no-source</c>).</exception>
    Task<ImageSet?> FindAsync(ImageRequest request, CancellationToken cancellationToken = default);

    /// <summary>Builds what is missing and returns the set, verified. Cancelling leaves no half-built artifact; a long step resumes where it can.</summary>
    Task<ImageSet> EnsureAsync(ImageRequest request, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>Builds, or finds, this project's own kernel.</summary>
    /// <param name="architecture">Debian's name of a processor, <c>amd64</c> or <c>arm64</c>; <see langword="null"/>: this host's.</param>
    /// <param name="refresh">Ask the mirror for newer sources.</param>
    /// <param name="progress">Told how it goes.</param>
    /// <param name="cancellationToken">Ends the build; the next goes on where it was.</param>
    Task<KernelImage> EnsureKernelAsync(string? architecture = null, bool refresh = false, IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>The kernels that machines may run, by their configurations: Debian's and this project's own. Builds what is missing.</summary>
    Task<IReadOnlyList<Kernels.KernelColumn>> KernelsAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>The kernel in Debian's libkrunfw, by its symbols: it does not tell its configuration. Fetches it from unstable if it is not in the cache.</summary>
    Task<Kernels.KernelColumn> StockKernelAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>Every artifact in the cache, by kind and then by age, newest first. One that cannot be read is listed with its <see cref="ArtifactInfo.Fault"/>.</summary>
    Task<IReadOnlyList<ArtifactInfo>> ListAsync(CancellationToken cancellationToken = default);

    /// <summary>Hashes every file of every artifact anew and compares it with what was recorded when it was built.</summary>
    Task<VerifyReport> VerifyAsync(IProgress<BuildProgress>? progress = null, CancellationToken cancellationToken = default);

    /// <summary>Removes artifacts that neither the current recipes nor an instance use, and the leftovers of interrupted builds.</summary>
    Task<PruneReport> PruneAsync(PruneRequest request, CancellationToken cancellationToken = default);
}

/// <summary>What is to be booted.</summary>
public sealed record ImageRequest
{
    /// <summary>A program needs no Kubernetes in its root image, so that the first <c>gateway --exec</c> does not wait for its compilation; where the cluster's root is cached, it serves both.</summary>
    public required GuestMode Mode { get; init; }

    /// <summary>The guest's processor, one of <see cref="Architectures"/>; <see langword="null"/>: the host's.</summary>
    public string? Architecture { get; init; }

    /// <summary>The cluster's distribution: <c>upstream</c> or <c>k3s</c>; <see langword="null"/>: <c>upstream</c>.</summary>
    public string? Distribution { get; init; }

    /// <summary>The k3s program of the user's choice, an absolute path; <see langword="null"/>: the pinned release.</summary>
    public string? K3sBinary { get; init; }

    /// <summary>
    /// The container image that the guest's system is taken from, in place of Debian's packages: <c>[HOST[:PORT]/]NAME[:TAG][@sha256:...]</c>, <c>oci:FOLDER[:NAME]</c>, or the absolute path of an archive;
    /// <see langword="null"/>: Debian's packages.
    /// </summary>
    public string? BaseImage { get; init; }

    /// <summary>Which kernel: a name of <see cref="Kernels.KernelNames"/> or the absolute path of a file; <see langword="null"/>: Debian's.</summary>
    public string? Kernel { get; init; }

    /// <summary>Without this project's own programs, which only .NET's compiler for the guest's processor makes: a root image and an initramfs that end at busybox's prompt, and what else is made without it.</summary>
    public bool WithoutGuest { get; init; }

    /// <summary>Ask the mirror for the versions of every package anew, instead of using those that were resolved once.</summary>
    public bool Refresh { get; init; }

    /// <summary>Build a corrupt artifact again at once, instead of failing with a fault that names it: for <c>gateway image build</c>, where the user asked for just that.</summary>
    public bool Repair { get; init; }

    /// <summary>What an instance boots from.</summary>
    /// <param name="config">Its configuration, filled in or as the user gave it; what is <c>auto</c> there is left to what this record's absence of a value means.</param>
    public static ImageRequest For(InstanceConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return new ImageRequest
        {
            Mode = config.Mode,
            Architecture = config.Architecture,
            // What 'auto' will mean is known once the start has looked around; upstream needs everything that k3s does.
            Distribution = config.Distribution is { } name and not DistributionChoice.Auto ? name : config.K3sBinary is null ? null : K3s.DistributionName,
            K3sBinary = config.K3sBinary,
            BaseImage = config.BaseImage is BaseImages.None ? null : config.BaseImage,
            Kernel = config.Kernel,
        };
    }
}

/// <summary>One moment of a build, for the display. Steps overlap: several are under way at once.</summary>
public sealed record BuildProgress
{
    /// <summary>The step's identity: an artifact's kind such as <c>kubernetes</c>, or a name of its own such as <c>verify</c>.</summary>
    public required string Step { get; init; }

    /// <summary>The step for a person: <c>Kubernetes 1.20.2 from source</c>.</summary>
    public required string Title { get; init; }

    /// <summary>What happened to it.</summary>
    public required BuildState State { get; init; }

    /// <summary>Since this step began.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Share done, 0 to 1, where it can be told.</summary>
    public double? Share { get; init; }

    /// <summary>Bytes done so far (a download), or the artifact's size once it is completed or found.</summary>
    public long? Bytes { get; init; }

    /// <summary>One line for a person: what is being done, or what is being waited for.</summary>
    public string? Detail { get; init; }
}

/// <summary>The states of a build step.</summary>
public enum BuildState
{
    /// <summary>It was in the cache.</summary>
    Cached,

    /// <summary>Work on it began.</summary>
    Started,

    /// <summary>It goes on.</summary>
    Running,

    /// <summary>Another process is building the same thing; see the detail.</summary>
    Waiting,

    /// <summary>It is done.</summary>
    Completed,

    /// <summary>It failed; the exception that follows says why.</summary>
    Failed,
}
