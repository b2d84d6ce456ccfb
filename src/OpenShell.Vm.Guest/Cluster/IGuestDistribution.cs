using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Cluster.K3s;
using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.Tools;

namespace OpenShell.Vm.Guest.Cluster;

/// <summary>
/// What differs between Kubernetes distributions in the guest. <see cref="ClusterBoot"/> calls the members in the order in which they stand here; adding a
/// distribution is a file and a line in <see cref="GuestDistributions"/>.
/// </summary>
internal interface IGuestDistribution
{
    /// <summary>Its name in the configuration.</summary>
    string Name { get; }

    /// <summary>The service whose health is the API server's.</summary>
    string ApiService { get; }

    /// <summary>Whether PID 1 gives it what it does not bring along: names, volumes, a folder of manifests (<see cref="ClusterAddons"/>).</summary>
    bool NeedsAddons { get; }

    /// <summary>What of it lives on the state disk.</summary>
    IReadOnlyList<MountEntry> Binds { get; }

    /// <summary>What is run, all of it on this one node.</summary>
    IReadOnlyList<Service> Services(ClusterNode node, ClusterNames names);

    /// <summary>Writes the files that need neither the state disk nor a certificate.</summary>
    /// <param name="delivery">What was given along; of the registries, the files are there already.</param>
    void WriteConfiguration(Delivery delivery);

    /// <summary>The certificates that PID 1 makes for it.</summary>
    IReadOnlyList<CertificateProfile> Certificates(ClusterNames names);

    /// <summary>Removes what the last boot left and this one would trip over. The state disk is there, and nothing of the cluster runs yet.</summary>
    /// <returns>What a person should know about it; <see langword="null"/>: nothing.</returns>
    Task<string?> CleanAsync(Tool tool);

    /// <summary>Writes what its services read of certificates and workload; they start right afterwards.</summary>
    Task PrepareAsync(IReadOnlyDictionary<string, KeyPair> certificates, Delivery delivery, CancellationToken cancellationToken);

    /// <summary>The administrator's way to the API server, once there are credentials; the host finds its bootstrap files from then on.</summary>
    Task<ApiClient> ConnectAsync(IReadOnlyDictionary<string, KeyPair> certificates, CancellationToken cancellationToken);

    /// <summary>Has everything that runs use certificates that were renewed: files are written anew, services replaced, objects of the cluster changed.</summary>
    /// <param name="certificates">All of them, by name.</param>
    /// <param name="renewed">Those that are new; none: it looks after what is its own to make all the same.</param>
    /// <param name="context">As at the start.</param>
    /// <param name="services">The cluster's services.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The services that were replaced.</returns>
    Task<IReadOnlyList<string>> UseAsync(
        IReadOnlyDictionary<string, KeyPair> certificates, IReadOnlyList<string> renewed, ClusterContext context, ServiceManager services, CancellationToken cancellationToken);

    /// <summary>Brings container images and manifests in; reports the stage <c>workload</c>.</summary>
    /// <returns>Whether there is a gateway to wait for.</returns>
    Task<bool> DeployAsync(ClusterContext context, CancellationToken cancellationToken);
}

/// <summary>What a distribution has at hand while the cluster starts.</summary>
internal sealed record ClusterContext
{
    /// <summary>What holds by now.</summary>
    public required ConditionBoard Board { get; init; }

    /// <summary>Who is told.</summary>
    public required IStageReporter Reporter { get; init; }

    /// <summary>Runs programs to their end.</summary>
    public required Tool Tool { get; init; }

    /// <summary>The API server's client, once there are credentials.</summary>
    public required Task<ApiClient> Api { get; init; }

    /// <summary>By name.</summary>
    public required IReadOnlyDictionary<string, KeyPair> Certificates { get; init; }

    /// <summary>What was given along.</summary>
    public required Delivery Delivery { get; init; }

    /// <summary>Told by a distribution that needs add-ons when the image's own manifests were applied, and tells it about the user's.</summary>
    public required Workload.ManifestProgress Manifests { get; init; }
}

/// <summary>The distributions that this program knows.</summary>
internal static class GuestDistributions
{
    private static readonly IReadOnlyList<IGuestDistribution> All = [new UpstreamDistribution(), new K3sDistribution()];

    /// <summary>By name.</summary>
    /// <exception cref="GuestFaultException">There is none of that name.</exception>
    public static IGuestDistribution Find(string name) => All.FirstOrDefault(d => d.Name == name)
        ?? throw new GuestFaultException(
            "guest.distribution-unknown", $"this image cannot run the distribution '{name}'.", $"Use '{string.Join("' or '", All.Select(d => d.Name))}'.");
}
