namespace OpenShell.Vm.Distributions;

/// <summary>k3s: Kubernetes as one program, which is what users of this system run. https://docs.k3s.io/</summary>
public sealed class K3s : IDistribution
{
    /// <summary>Its name.</summary>
    public const string DistributionName = "k3s";

    /// <inheritdoc/>
    public string Name => DistributionName;

    /// <inheritdoc/>
    public string Description => $"k3s {K3sRelease.Version} from its release page, a mirror, or a file";

    /// <inheritdoc/>
    public IReadOnlyList<string> ContainerdTool { get; } = ["/usr/local/bin/k3s", "ctr"];
}
