using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Cluster.Dns;
using OpenShell.Vm.Guest.Cluster.Workload;
using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Cluster;

/// <summary>Kubernetes from Debian's source and packages: every component is a service of its own, and PID 1 makes their certificates and applies manifests.</summary>
internal sealed class UpstreamDistribution : IGuestDistribution
{
    private const string GatewaySet = "/apis/apps/v1/namespaces/" + GatewaySecrets.Namespace + "/statefulsets/openshell-gateway";

    /// <inheritdoc/>
    public string Name => "upstream";

    /// <inheritdoc/>
    public string ApiService => ApiServerService.Name;

    /// <inheritdoc/>
    public bool NeedsAddons => true;

    /// <inheritdoc/>
    public IReadOnlyList<MountEntry> Binds => StateLayout.Binds;

    /// <summary>What is run.</summary>
    public static IReadOnlyList<Service> Services(ClusterNode node) =>
    [
        ContainerdService.Describe(),
        EtcdService.Describe(),
        ApiServerService.Describe(node),
        ControllerManagerService.Describe(),
        SchedulerService.Describe(),
        KubeletService.Describe(node),
        ProxyService.Describe(node),
        DnsService.Describe(DnsPlace.Guest),
        DnsService.DescribeRecords(DnsPlace.Guest),
        .. node.Address is null ? Array.Empty<Service>() : [DhcpService.Describe(ApiServerService.Name)],
    ];

    /// <inheritdoc/>
    IReadOnlyList<Service> IGuestDistribution.Services(ClusterNode node, ClusterNames names) => Services(node);

    /// <inheritdoc/>
    public void WriteConfiguration(Delivery delivery) => ClusterFiles.WriteConfiguration(delivery);

    /// <inheritdoc/>
    public IReadOnlyList<CertificateProfile> Certificates(ClusterNames names) => ClusterCertificates.For(names);

    /// <inheritdoc/>
    public Task<string?> CleanAsync(Tool tool) => Task.FromResult<string?>(null);

    /// <inheritdoc/>
    public Task PrepareAsync(IReadOnlyDictionary<string, KeyPair> certificates, Delivery delivery, CancellationToken cancellationToken)
    {
        new CertificateStore(StateLayout.Pki, TimeProvider.System).EnsureSigningKey();
        ClusterFiles.WriteKubeconfigs(certificates);
        new InstanceFiles(CredentialPlaces.Guest).GiveAccess(certificates, certificates[ClusterCertificates.ClusterCa].CertificatePem, certificates[ClusterCertificates.Admin]);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<ApiClient> ConnectAsync(IReadOnlyDictionary<string, KeyPair> certificates, CancellationToken cancellationToken) => Task.FromResult(new ApiClient(
        certificates[ClusterCertificates.Admin],
        // What it knows by sight needs no chain built, which takes its time; what was renewed meanwhile does.
        ServerTrust.Exactly(certificates[ClusterCertificates.ApiServer].CertificatePem, certificates[ClusterCertificates.Loopback].CertificatePem)
            .Or(() => ServerTrust.SignedBy(certificates[ClusterCertificates.ClusterCa].CertificatePem))));

    /// <inheritdoc/>
    public async Task<bool> DeployAsync(ClusterContext context, CancellationToken cancellationToken)
    {
        await context.Board.WaitAsync(new Condition.Healthy(ContainerdService.Name), cancellationToken).ConfigureAwait(false);
        context.Reporter.Report(Stage.Workload, StageState.Started, "imports container images");
        context.Reporter.Report(Stage.Images, StageState.Started);
        var importer = new ImageImporter(context.Tool);
        var (imported, all) = await importer.ImportAsync().ConfigureAwait(false);
        context.Board.Fulfil(new Condition.Done(Milestone.Images));
        DeliveredManifests.Place(context.Delivery, StateLayout.Manifests);
        var (delivered, given) = await importer.ImportAsync(context.Delivery, cancellationToken).ConfigureAwait(false);
        context.Reporter.Report(
            Stage.Images,
            imported + delivered == 0 ? StageState.Skipped : StageState.Completed,
            imported + delivered == 0 ? $"{all + given} are there" : $"{imported + delivered} of {all + given} imported");
        context.Reporter.Report(Stage.Workload, StageState.Started, "waits for the API server");
        await context.Board.WaitAsync(new Condition.Healthy(ApiServerService.Name), cancellationToken).ConfigureAwait(false);
        var api = await context.Api.ConfigureAwait(false);
        var applied = await ApplyAsync(api, context, cancellationToken).ConfigureAwait(false);
        context.Reporter.Report(Stage.Workload, StageState.Started, applied);
        // A machine is not ready before what it was given along is applied, or refused, which stops nothing.
        var user = await context.Manifests.User.WaitAsync(cancellationToken).ConfigureAwait(false);
        context.Reporter.Report(Stage.Workload, StageState.Completed, applied + user);
        using var gateway = await api.GetAsync(GatewaySet, cancellationToken).ConfigureAwait(false);
        return gateway is not null;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> UseAsync(
        IReadOnlyDictionary<string, KeyPair> certificates, IReadOnlyList<string> renewed, ClusterContext context, ServiceManager services, CancellationToken cancellationToken)
    {
        if (renewed.Count == 0)
            return [];
        await PrepareAsync(certificates, context.Delivery, cancellationToken).ConfigureAwait(false);
        var api = await context.Api.ConfigureAwait(false);
        if (renewed.Contains(ClusterCertificates.Admin))
            api.BecomeAnother(certificates[ClusterCertificates.Admin]);
        var replaced = ServicesOf(renewed);

        // The API server first: for all others it is who answers.
        if (replaced.Contains(ApiServerService.Name))
            services.Replace(ApiServerService.Name);
        await new ManifestApplier(api).ApplyAsync(GatewaySecrets.Documents(certificates), cancellationToken).ConfigureAwait(false);
        foreach (var service in replaced.Where(name => name != ApiServerService.Name))
            services.Replace(service);
        return replaced;
    }

    /// <summary>The services that read a certificate at their start only. The gateway and the API front read theirs again; PID 1 has the administrator's.</summary>
    internal static IReadOnlyList<string> ServicesOf(IEnumerable<string> certificates) =>
    [
        .. certificates.SelectMany(certificate => certificate switch
        {
            ClusterCertificates.ApiServer or ClusterCertificates.ApiServerToKubelet or ClusterCertificates.FrontProxy => (string[])[ApiServerService.Name],
            ClusterCertificates.Loopback => [ControllerManagerService.Name, SchedulerService.Name],
            ClusterCertificates.ControllerManager => [ControllerManagerService.Name],
            ClusterCertificates.Scheduler => [SchedulerService.Name],
            ClusterCertificates.KubeletClient or ClusterCertificates.KubeletServer => [KubeletService.Name],
            ClusterCertificates.Proxy => [ProxyService.Name],
            _ => [],
        }).Distinct().Order(StringComparer.Ordinal),
    ];

    private static async Task<string> ApplyAsync(ApiClient api, ClusterContext context, CancellationToken cancellationToken)
    {
        var documents = await GatewayObjects.AllAsync(context, cancellationToken).ConfigureAwait(false);
        try
        {
            var marker = new Marker("manifests");
            var hash = Marker.HashOf(documents.Select(d => d.Text));
            if (marker.Is(hash))
            {
                context.Reporter.Report(Stage.Manifests, StageState.Skipped, $"{documents.Count} objects, unchanged");
                return $"{documents.Count} objects, unchanged";
            }

            context.Reporter.Report(Stage.Manifests, StageState.Started);
            await new ManifestApplier(api).ApplyAsync(documents, cancellationToken).ConfigureAwait(false);
            marker.Set(hash);
            context.Reporter.Report(Stage.Manifests, StageState.Completed, $"{documents.Count} objects applied");
            return $"{documents.Count} objects applied";
        }
        finally
        {
            // The user's own come after them, in ManifestWatcher, also where one of these was refused.
            context.Manifests.ImageIsDone(documents);
        }
    }
}
