using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Testing;

/// <summary>What a test's cluster is to be. Clusters of equal options (but for <see cref="NamePrefix"/>, <see cref="Ports"/> and <see cref="StartLimit"/>) begin as copies of one golden image.</summary>
public sealed record TestClusterOptions
{
    /// <summary>Virtual CPUs; <see langword="null"/>: the library's default, so that a golden image of <c>gateway image bake</c> fits.</summary>
    public int? Vcpus { get; init; }

    /// <summary>Memory in MiB; <see langword="null"/>: the library's default, as with <see cref="Vcpus"/>.</summary>
    public int? MemoryMib { get; init; }

    /// <summary>Manifests that are applied, files or folders: part of the golden image, so what they make runs already when a test gets its cluster.</summary>
    public IReadOnlyList<string> Manifests { get; init; } = [];

    /// <summary>Archives of container images, files or folders: part of the golden image too.</summary>
    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>Forwards into the machine besides the gateway's and the API server's; a host's port of 0 takes a free one, told by <see cref="TestCluster.Status"/>.</summary>
    public IReadOnlyList<PortForward> Ports { get; init; } = [];

    /// <summary>Begins the random name: lower-case letters, digits and hyphens.</summary>
    public string NamePrefix { get; init; } = "test";

    /// <summary>How long a start may take, a bake before it not counted; <see langword="null"/>: the library's default.</summary>
    public TimeSpan? StartLimit { get; init; }

    /// <summary>Bake a golden image where there is none: one more boot (a minute or two under software emulation), once for all tests to come. Otherwise such a cluster boots, each time.</summary>
    public bool Bakes { get; init; } = true;

    /// <summary>As <see cref="InstancesOptions.UsesGolden"/>, whose default <see langword="null"/> stands for; without golden images every cluster boots.</summary>
    public bool? UsesGolden { get; init; }

    /// <summary>Told in one line each what takes long, and why a cluster had to boot; by default written to stderr.</summary>
    public Action<string> Log { get; init; } = Console.Error.WriteLine;

    /// <summary>Where instances, kubeconfig and certificates go; <see langword="null"/>: a private temporary folder, removed at the end. Images and golden images are in the user's cache in that case.</summary>
    public HostDirectories? Directories { get; init; }

    /// <summary>As <see cref="InstancesOptions.KvmProbeCommand"/>; <see langword="null"/>: the machine is emulated, also where there is KVM.</summary>
    public IReadOnlyList<string>? KvmProbeCommand { get; init; }

    /// <summary>Whatever else of the instance's configuration is to be otherwise.</summary>
    public Func<InstanceConfig, InstanceConfig>? Configure { get; init; }

    /// <summary>The configuration of one instance.</summary>
    internal InstanceConfig ToConfig(string name)
    {
        var config = new InstanceConfig
        {
            Name = name,
            Vcpus = Vcpus,
            MemoryMib = MemoryMib,
            Ports = Ports,
            GatewayPort = 0,
            Timeout = StartLimit,

            // Relative to the test's working directory; the library takes no relative paths, since a supervisor may run elsewhere.
            Workload = Manifests.Count + Images.Count == 0 ? null : new WorkloadConfig { Manifests = [.. Manifests.Select(Path.GetFullPath)], Images = [.. Images.Select(Path.GetFullPath)] },
        };
        return Configure?.Invoke(config) ?? config;
    }
}
