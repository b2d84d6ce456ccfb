using System.Text.Json;
using OpenShell.Vm.Guest.ApiFront;
using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Capabilities;
using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Cluster.Workload;
using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.Networking;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Cluster;

/// <summary>
/// From a guest with a network to a cluster with the gateway on it. Everything begins as soon as what it needs is there; <see cref="RunAsync"/> shows the
/// order, the conditions of the services say the rest.
/// </summary>
internal sealed partial class ClusterBoot
{
    private const string ModuleList = GuestPaths.Share + "/modules.list";
    private const string GatewayPods = "/api/v1/namespaces/" + GatewaySecrets.Namespace + "/pods?labelSelector=app.kubernetes.io%2Fname%3Dopenshell-gateway";

    private readonly GuestConfig _config;
    private readonly ClusterNode _node;
    private readonly IGuestDistribution _distribution;
    private readonly Delivery _delivery;
    private readonly IStageReporter _reporter;
    private readonly PhaseTimes _times;
    private readonly Tool _tool;
    private readonly ManifestProgress _manifests = new();
    private readonly InstanceFiles _files = new(CredentialPlaces.Guest);
    private volatile ClusterConfig _cluster;
    private volatile ClusterContext? _context;
    private readonly TaskCompletionSource<ApiClient> _api = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <exception cref="GuestFaultException">The distribution is not known.</exception>
    public ClusterBoot(GuestConfig config, ClusterConfig cluster, IStageReporter reporter, Processes.ProcessLauncher launcher, PhaseTimes times, Delivery delivery, Func<Task> heldStill)
    {
        _delivery = delivery;
        _config = config;
        _cluster = cluster;
        _node = new ClusterNode(config.Hostname, config.Network?.Address.Split('/')[0]);
        _distribution = GuestDistributions.Find(cluster.Distribution);
        HasFront = cluster.ApiFront || cluster.Identity is not null;
        _reporter = reporter;
        _times = times;
        _tool = new Tool(launcher);
        Services = new ServiceManager(new ServiceContext
        {
            Launcher = launcher,
            Reporter = reporter,
            Board = new ConditionBoard(),
            Probe = new HealthProbe(AskAsync),
            OutsideEnvironment = ProxyEnvironment.Of(config.Proxy),
            HeldStill = heldStill,
        });
    }

    /// <summary>The cluster's services, for the orderly end.</summary>
    public ServiceManager Services { get; }

    /// <summary>Whether callers from outside of the machine come to the API front. As it was booted: a cluster that becomes another instance's gets none by that.</summary>
    public bool HasFront { get; }

    /// <summary>Boots the cluster.</summary>
    /// <param name="ready">Called when what is PID 1's own is done and the rest is up to the services.</param>
    /// <param name="cancellationToken">The machine is to end.</param>
    /// <exception cref="GuestFaultException">It cannot be.</exception>
    public async Task RunAsync(Action ready, CancellationToken cancellationToken)
    {
        Mounter.MountAll(MountPlan.Kernel);
        Cgroups.Delegate();
        RegistryHosts.Write(_delivery);
        _distribution.WriteConfiguration(_delivery);
        var names = Names();
        Services.Start([.. _distribution.Services(_node, names), .. HasFront ? [ApiFrontService.Describe(_distribution.ApiService)] : Array.Empty<Service>()]);
        // While the disk is formatted, a processor is idle.
        var profiles = Profiles();
        var prepared = StateDisk.IsNew() ? Task.Run(() => CertificateSet.Make(profiles, DateTimeOffset.UtcNow), cancellationToken) : null;
        await _reporter.InStageAsync(Stage.Disk, PrepareDiskAsync).ConfigureAwait(false);
        var certificates = await MakeCertificatesAsync(profiles, prepared, cancellationToken).ConfigureAwait(false);
        // Only now: the API server, for which everything else will wait, has what it needs.
        await PrepareKernelAsync().ConfigureAwait(false);
        ready();
        // For good, and nobody waits for their end.
        if (_distribution.NeedsAddons)
            _ = new ClusterAddons(_node, _config.Network?.DnsServers ?? [], Services, _tool).RunAsync(_api.Task, _manifests, cancellationToken);
        await Task.WhenAll(
            FollowServicesAsync(cancellationToken),
            FollowNodeAsync(cancellationToken),
            _reporter.InStageAsync(Stage.Workload, () => DeployAsync(certificates, cancellationToken))).ConfigureAwait(false);
    }

    private async Task PrepareKernelAsync()
    {
        IReadOnlyList<string> errors = [];
        using (_times.Measure("modules"))
        {
            // The list is of the kernel that the image was made with.
            if (KernelFacts.HasModules && File.Exists(ModuleList))
                errors = ModuleLoader.LoadAll(ModuleLoader.Parse(await File.ReadAllTextAsync(ModuleList).ConfigureAwait(false), "/"));
        }

        using (_times.Measure("capabilities"))
            CapabilityCheck.Require(ClusterCapabilities.All, errors);
        Sysctls.Apply(Sysctls.Cluster);
        await Task.WhenAll(TryKernelAsync(), LoadFirewallAsync()).ConfigureAwait(false);
    }

    private async Task TryKernelAsync()
    {
        // What this kernel could do on this disk, with these programs, it still can.
        var marker = new Marker("trial");
        var hash = CapabilityTrial.Identity();
        if (marker.Is(hash))
        {
            _reporter.Report(Stage.Trial, StageState.Skipped, "this kernel passed it before");
            return;
        }

        _reporter.Report(Stage.Trial, StageState.Started);
        using var _ = _times.Measure("trial");
        await CapabilityTrial.RunAsync(_tool).ConfigureAwait(false);
        marker.Set(hash);
        _reporter.Report(Stage.Trial, StageState.Completed);
    }

    private async Task LoadFirewallAsync()
    {
        using var _ = _times.Measure("firewall");
        await Firewall.LoadAsync(_tool, _config.Network?.Closed ?? [], _config.Network?.Open ?? [], HasFront).ConfigureAwait(false);
        Services.Board.Fulfil(new Condition.Done(Milestone.Firewall));
    }

    private async Task PrepareDiskAsync()
    {
        _reporter.Report(Stage.Disk, StageState.Started);
        using var _ = _times.Measure("disk");
        var done = await new StateDisk(_tool, _distribution.Binds, what => _reporter.Report(Stage.DiskRepair, StageState.Completed, what)).PrepareAsync().ConfigureAwait(false);
        CloneIdentity.Claim(_cluster.Identity);

        // Over the folders of the state disk, and before the kubelet could give one of them to a pod.
        Mounter.MountAll(SharedFolders.Of(_config.Mounts));
        MachineId.Ensure();
        var cleaned = await _distribution.CleanAsync(_tool).ConfigureAwait(false);
        var detail = (done ?? "there is no state disk: everything is lost at the end") + (cleaned is null ? "" : "; " + cleaned);
        _reporter.Report(Stage.Disk, done is null ? StageState.Skipped : StageState.Completed, detail);
        Services.Board.Fulfil(new Condition.Done(Milestone.StateDisk));
    }

    private IReadOnlyList<CertificateProfile> Profiles() => [.. _distribution.Certificates(Names()), .. HasFront ? ClusterCertificates.ForFront(Names()) : []];

    private ClusterNames Names() => new()
    {
        NodeName = _node.Name,
        NodeAddress = _node.Address,
        ApiServiceAddress = ClusterLayout.ApiServiceAddress,
        GatewayName = _cluster.GatewayName,
        Further = _cluster.SubjectAlternativeNames,
    };

    private async Task<IReadOnlyDictionary<string, KeyPair>> MakeCertificatesAsync(
        IReadOnlyList<CertificateProfile> profiles, Task<IReadOnlyDictionary<string, KeyPair>>? prepared, CancellationToken cancellationToken)
    {
        using var phase = _times.Measure("certificates");
        _reporter.Report(Stage.Certificates, StageState.Started);
        var store = new CertificateStore(StateLayout.Pki, TimeProvider.System);
        var certificates = store.Ensure(profiles, prepared is null ? null : await prepared.ConfigureAwait(false));
        _reporter.Report(Stage.Certificates, store.Made == 0 ? StageState.Skipped : StageState.Completed, store.Made == 0 ? $"{certificates.Count} kept" : $"{store.Made} of {certificates.Count} made");
        _files.Serve(certificates);
        await _distribution.PrepareAsync(certificates, _delivery, cancellationToken).ConfigureAwait(false);
        _ = ConnectAsync(certificates, cancellationToken);
        Services.Board.Fulfil(new Condition.Done(Milestone.Certificates));
        // Nobody waits for it.
        _ = Task.Run(store.Flush, CancellationToken.None);
        return certificates;
    }

    /// <summary>What asks the API server waits for this, and gets its failure too.</summary>
    private async Task ConnectAsync(IReadOnlyDictionary<string, KeyPair> certificates, CancellationToken cancellationToken)
    {
        try
        {
            _api.SetResult(await _distribution.ConnectAsync(certificates, cancellationToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            _api.SetCanceled(CancellationToken.None);
        }
        catch (Exception exception)
        {
            _api.SetException(exception);
        }
    }

    private async Task FollowServicesAsync(CancellationToken cancellationToken)
    {
        _reporter.Report(Stage.Services, StageState.Started);
        await Services.HealthyAsync(cancellationToken).ConfigureAwait(false);
        _reporter.Report(Stage.Services, StageState.Completed);
    }

    private async Task FollowNodeAsync(CancellationToken cancellationToken)
    {
        await Services.Board.WaitAsync(new Condition.Healthy(_distribution.ApiService), cancellationToken).ConfigureAwait(false);
        await FollowAsync(Stage.Node, $"/api/v1/nodes?fieldSelector=metadata.name%3D{_node.Name}", ThisBoot.Read().IsNodeReady, cancellationToken).ConfigureAwait(false);
    }

    private async Task DeployAsync(IReadOnlyDictionary<string, KeyPair> certificates, CancellationToken cancellationToken)
    {
        var context = _context = new ClusterContext { Board = Services.Board, Reporter = _reporter, Tool = _tool, Api = _api.Task, Certificates = certificates, Delivery = _delivery, Manifests = _manifests };
        var hasGateway = await _distribution.DeployAsync(context, cancellationToken).ConfigureAwait(false);
        _deployed = true;
        if (hasGateway)
            await FollowAsync(Stage.Gateway, GatewayPods, ThisBoot.Read().IsPodReady, cancellationToken).ConfigureAwait(false);
        else
            _reporter.Report(Stage.Gateway, StageState.Skipped, "the manifests hold no gateway");
    }

    /// <summary>Reports a stage that is done when an object is ready, and what it waits for meanwhile.</summary>
    private async Task FollowAsync(string stage, string path, Func<JsonElement, bool> isReady, CancellationToken cancellationToken)
    {
        _reporter.Report(stage, StageState.Started);
        var api = await _api.Task.ConfigureAwait(false);
        string? said = null;
        await api.WatchAsync(path, Seen, cancellationToken).ConfigureAwait(false);
        _reporter.Report(stage, StageState.Completed);

        bool Seen(JsonElement item)
        {
            if (isReady(item))
                return true;
            if (ObjectConditions.WhyNotReady(item) is { } why && why != said)
                _reporter.Report(stage, StageState.Started, said = why);
            return false;
        }
    }

    private async Task<bool> AskAsync(string url, CancellationToken cancellationToken)
    {
        var api = await _api.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        return await api.IsOkAsync(url, cancellationToken).ConfigureAwait(false);
    }
}
