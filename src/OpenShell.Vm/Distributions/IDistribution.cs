namespace OpenShell.Vm.Distributions;

/// <summary>A Kubernetes distribution as the host sees it: data. What it runs is the guest's business, what it is built from the images'.</summary>
public interface IDistribution
{
    /// <summary>The name on the command line.</summary>
    string Name { get; }

    /// <summary>What it is, in a sentence.</summary>
    string Description { get; }

    /// <summary>containerd's command line in the guest: the program, and the arguments that lead it to the cluster's containerd.</summary>
    IReadOnlyList<string> ContainerdTool { get; }
}

/// <summary>The distributions that there are.</summary>
public static class DistributionCatalog
{
    /// <summary>All of them, the preferred one first.</summary>
    public static IReadOnlyList<IDistribution> All { get; } = [new K3s(), new Upstream()];

    /// <summary>By name; <see langword="null"/>: there is none.</summary>
    public static IDistribution? Find(string name) => All.FirstOrDefault(d => d.Name == name);
}
