using OpenShell.Vm.Distributions;
using OpenShell.Vm.Images.Building;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Images.Recipes;
using OpenShell.Vm.Kernels;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Images;

/// <summary>Which artifacts make up a set, by their kinds.</summary>
internal sealed record ImageParts
{
    /// <summary>The kernel; <see langword="null"/> where it is a file of the user's.</summary>
    public string? Kernel { get; private init; }

    /// <summary>The user's own kernel.</summary>
    public string? KernelFile { get; private init; }

    /// <summary>The initramfs; <see langword="null"/> for a kernel that mounts the root itself.</summary>
    public string? Initramfs { get; private init; }

    /// <summary>The root image.</summary>
    public required string Root { get; init; }

    /// <summary>What the root image's Kubernetes is made from; <see langword="null"/> without one.</summary>
    public string? Distribution { get; private init; }

    /// <summary>What is built besides, and is no part of the set.</summary>
    public IReadOnlyList<string> Besides { get; private init; } = [];

    /// <summary>All of them.</summary>
    public IEnumerable<string> Kinds => new[] { Kernel, Initramfs, Root }.OfType<string>();

    /// <summary>The facts by which they are made: a base image must contain what is to run in it.</summary>
    public RecipeFacts In(RecipeFacts facts) => facts.Base is null
        ? facts
        : facts with
        {
            Base = facts.Base with
            {
                Purpose = Root switch
                {
                    RootRecipe.ProgramName => BaseImageContents.Program,
                    RootRecipe.K3sName => BaseImageContents.K3s,
                    _ => BaseImageContents.Upstream,
                },
            },
        };

    /// <summary>Those that serve a request, best first; the last is the one that is built where none is there.</summary>
    /// <exception cref="Faults.FaultException">It asks for a distribution that there is no recipe for.</exception>
    public static IReadOnlyList<ImageParts> Choices(ImageRequest request)
    {
        var cluster = request.Distribution switch
        {
            null or Upstream.DistributionName => new ImageParts { Root = RootRecipe.ClusterName, Distribution = KubernetesRecipe.Name },
            K3s.DistributionName => new ImageParts { Root = RootRecipe.K3sName, Distribution = K3sRecipe.Name },
            var unknown => throw ImageFaults.Make(
                "image.distribution-unknown", $"There is no recipe for the distribution '{unknown}'.", "Use --distribution upstream, or k3s."),
        };
        cluster = request.Kernel switch
        {
            null or KernelNames.Debian => cluster with { Kernel = KernelRecipe.Name, Initramfs = InitramfsRecipe.Name },
            KernelNames.Custom => cluster with { Kernel = CustomKernelRecipe.KindFor(request.Architecture ?? Architectures.Host) },
            var file => cluster with { KernelFile = file },
        };
        if (request.WithoutGuest)
            return [WithoutGuest(cluster, request.Mode)];

        return request.Mode == GuestMode.Cluster ? [cluster] : [cluster, cluster with { Root = RootRecipe.ProgramName, Distribution = null }];
    }

    // Of a cluster, what is compiled without .NET.
    private static ImageParts WithoutGuest(ImageParts cluster, GuestMode mode) => cluster with
    {
        Root = RootRecipe.PlainName,
        Initramfs = cluster.Initramfs is null ? null : InitramfsRecipe.PlainName,
        Distribution = null,
        Besides = mode == GuestMode.Cluster ? [cluster.Distribution!, PauseRecipe.Name] : [],
    };
}
