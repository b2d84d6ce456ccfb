namespace OpenShell.Vm.Distributions;

/// <summary>Kubernetes from Debian's source package, with Debian's etcd, containerd, runc and CNI plugins.</summary>
public sealed class Upstream : IDistribution
{
    /// <summary>Its name.</summary>
    public const string DistributionName = "upstream";

    /// <inheritdoc/>
    public string Name => DistributionName;

    /// <inheritdoc/>
    public string Description => "Kubernetes as its own project releases it, built from Debian's source package";

    /// <inheritdoc/>
    public IReadOnlyList<string> ContainerdTool { get; } = ["/usr/bin/ctr", "--address", "/run/containerd/containerd.sock"];
}
