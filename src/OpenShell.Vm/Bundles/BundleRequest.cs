using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Distributions;

namespace OpenShell.Vm.Bundles;

/// <summary>What a bundle is to start.</summary>
public sealed record BundleRequest
{
    /// <summary>The distribution; <see langword="null"/>: k3s where a program of it is given, else upstream. Nothing is chosen by what can be reached.</summary>
    public string? Distribution { get; init; }

    /// <summary>As in <see cref="Images.ImageRequest.K3sBinary"/>.</summary>
    public string? K3sBinary { get; init; }

    /// <summary>As in <see cref="Images.ImageRequest.BaseImage"/>.</summary>
    public string? BaseImage { get; init; }

    /// <summary>As in <see cref="Images.ImageRequest.Kernel"/>.</summary>
    public string? Kernel { get; init; }

    /// <summary>What the cluster is given along.</summary>
    public WorkloadConfig Workload { get; init; } = new();

    /// <summary>What makes it: <c>gateway 0.1.0</c>.</summary>
    public required string CreatedBy { get; init; }

    /// <summary>The distribution that is meant.</summary>
    internal string EffectiveDistribution =>
        Distribution is { } name and not DistributionChoice.Auto ? name : K3sBinary is null ? Upstream.DistributionName : K3s.DistributionName;

    /// <summary>The folder of the running command, to be carried along; <see langword="null"/>: it is not.</summary>
    public string? CommandFolder { get; init; }
}

/// <summary>A bundle that was made.</summary>
/// <param name="Path">Absolute path.</param>
/// <param name="Digest">What stands for the whole bundle.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Manifest">What it holds.</param>
public sealed record CreatedBundle(string Path, string Digest, long Bytes, BundleManifest Manifest);
