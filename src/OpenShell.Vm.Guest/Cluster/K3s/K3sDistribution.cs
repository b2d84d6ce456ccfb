using OpenShell.Vm.Guest.Boot;
using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Cluster.Workload;
using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Guest.Tools;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Cluster.K3s;

/// <summary>
/// k3s: one program that makes its own certificates, imports images and applies manifests from folders that it watches. PID 1 fills those folders, starts it and
/// follows. https://docs.k3s.io/
/// </summary>
internal sealed class K3sDistribution : IGuestDistribution
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromMilliseconds(500), UserPatience = TimeSpan.FromMinutes(2);

    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc/>
    public string Name => "k3s";

    /// <inheritdoc/>
    public string ApiService => K3sService.Name;

    /// <summary>It has its own: CoreDNS, local-path, the folder of manifests.</summary>
    public bool NeedsAddons => false;

    /// <inheritdoc/>
    public IReadOnlyList<MountEntry> Binds => [.. StateLayout.Binds, StateLayout.Bind(K3sLayout.Data), StateLayout.Bind(K3sLayout.Configuration)];

    private static IReadOnlyList<string> ImageManifests => ManifestFolder.Files(GuestPaths.Manifests);

    /// <inheritdoc/>
    public IReadOnlyList<Service> Services(ClusterNode node, ClusterNames names) =>
        [K3sService.Describe(node, names), .. node.Address is null ? Array.Empty<Service>() : [DhcpService.Describe(K3sService.Name)]];

    /// <inheritdoc/>
    public void WriteConfiguration(Delivery delivery) => ClusterFiles.WriteNetworkConfiguration();

    /// <summary>The gateway's only: the cluster's are k3s's own.</summary>
    public IReadOnlyList<CertificateProfile> Certificates(ClusterNames names) =>
        [.. ClusterCertificates.For(names).Where(p => p.Name is ClusterCertificates.GatewayCa or ClusterCertificates.GatewayServer or ClusterCertificates.GatewayClient)];

    /// <inheritdoc/>
    public async Task<string?> CleanAsync(Tool tool)
    {
        await new K3sLeftovers(K3sLayout.Guest).RemoveAsync(tool).ConfigureAwait(false);
        return await new KineDatabase(K3sLayout.Guest.Database, tool, TimeProvider.System).MakeUsableAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task PrepareAsync(IReadOnlyDictionary<string, KeyPair> certificates, Delivery delivery, CancellationToken cancellationToken)
    {
        await new K3sDelivery(delivery).PlaceAsync(K3sLayout.Guest, cancellationToken).ConfigureAwait(false);
        var folders = new K3sFolders(K3sLayout.Guest);
        folders.WriteManifests(GatewayObjects.Documents(certificates, delivery), ImageManifests, ManifestFolder.Files(StateLayout.Manifests));
        folders.LinkImages([GuestPaths.Images, K3sLayout.UserImages]);
        folders.CopyCharts([K3sLayout.ImageCharts, K3sLayout.UserCharts]);
    }

    /// <inheritdoc/>
    public async Task<ApiClient> ConnectAsync(IReadOnlyDictionary<string, KeyPair> certificates, CancellationToken cancellationToken)
    {
        var kubeconfig = await K3sKubeconfig.WaitAsync(K3sLayout.Guest.Kubeconfig, cancellationToken).ConfigureAwait(false);
        new InstanceFiles(CredentialPlaces.Guest).GiveAccess(certificates, kubeconfig.Authority, kubeconfig.User);
        _connected.TrySetResult();
        return new ApiClient(kubeconfig.User, ServerTrust.SignedBy(kubeconfig.Authority));
    }

    /// <summary>k3s finds the gateway's Secrets in the folder of manifests that it watches; its own certificates it renews when it starts.</summary>
    public async Task<IReadOnlyList<string>> UseAsync(
        IReadOnlyDictionary<string, KeyPair> certificates, IReadOnlyList<string> renewed, ClusterContext context, ServiceManager services, CancellationToken cancellationToken)
    {
        if (renewed.Count > 0)
            await PrepareAsync(certificates, context.Delivery, cancellationToken).ConfigureAwait(false);
        var restarts = K3sCertificates.AreNearTheirEnd(K3sLayout.Guest, TimeProvider.System.GetUtcNow());
        if (restarts)
        {
            services.Replace(K3sService.Name);
            await K3sCertificates.RenewedAsync(K3sLayout.Guest, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }

        if (restarts || renewed.Count > 0)
        {
            var kubeconfig = await K3sKubeconfig.WaitAsync(K3sLayout.Guest.Kubeconfig, cancellationToken).ConfigureAwait(false);
            new InstanceFiles(CredentialPlaces.Guest).GiveAccess(certificates, kubeconfig.Authority, kubeconfig.User);
            (await context.Api.ConfigureAwait(false)).BecomeAnother(kubeconfig.User);
        }

        return restarts ? [K3sService.Name] : [];
    }

    /// <inheritdoc/>
    public async Task<bool> DeployAsync(ClusterContext context, CancellationToken cancellationToken)
    {
        context.Reporter.Report(Stage.Workload, StageState.Started, "waits for k3s to unpack its programs");
        await K3sCniPrograms.LinkWhenThereAsync(K3sLayout.Guest, _connected.Task, cancellationToken).ConfigureAwait(false);
        context.Reporter.Report(Stage.Workload, StageState.Started, "waits for the API server");
        await context.Board.WaitAsync(new Condition.Healthy(K3sService.Name), cancellationToken).ConfigureAwait(false);
        // k3s starts the kubelet when it has imported the images, and says so nowhere: what waits for them may go on.
        context.Board.Fulfil(new Condition.Done(Milestone.Images));
        var documents = await GatewayObjects.AllAsync(context, cancellationToken).ConfigureAwait(false);
        await FollowAsync(context, documents, cancellationToken).ConfigureAwait(false);
        var user = await FollowUserAsync(context, cancellationToken).ConfigureAwait(false);
        context.Reporter.Report(Stage.Workload, StageState.Completed, $"{documents.Count} objects deployed by k3s{user}");
        return documents.Any(d => d.Header is { Kind: "StatefulSet", Name: "openshell-gateway" });
    }

    /// <summary>Waits for the user's objects too, but not for ever: k3s may refuse one, and says so in events of its own.</summary>
    private static async Task<string> FollowUserAsync(ClusterContext context, CancellationToken cancellationToken)
    {
        var files = ManifestFolder.Files(StateLayout.Manifests);
        if (files.Count == 0)
            return "";
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(UserPatience);
        var applied = 0;
        var refused = new List<string>();
        foreach (var file in files)
        {
            var name = Path.GetFileName(file);
            try
            {
                await FollowAsync(context, ManifestReader.Read(name, await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false)), patience.Token).ConfigureAwait(false);
                applied++;
            }
            catch (ManifestException e)
            {
                refused.Add(e.Message);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                refused.Add($"{name}: k3s has not made all of its objects yet");
            }
        }

        return new UserManifests(applied, refused).ToString();
    }

    /// <summary>Waits until k3s has made every object of a manifest.</summary>
    private static async Task FollowAsync(ClusterContext context, IReadOnlyList<ManifestDocument> documents, CancellationToken cancellationToken)
    {
        var api = await context.Api.ConfigureAwait(false);
        var paths = new ResourcePaths(api);
        foreach (var document in documents)
        {
            var header = document.Header;
            var said = false;
            while (!await IsThereAsync(api, paths, header, cancellationToken).ConfigureAwait(false))
            {
                if (!said)
                    context.Reporter.Report(Stage.Workload, StageState.Started, $"waits for k3s to deploy {header.Kind} {header.Name} ({document.Source})");
                said = true;
                await Task.Delay(AskEvery, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task<bool> IsThereAsync(ApiClient api, ResourcePaths paths, ManifestHeader header, CancellationToken cancellationToken)
    {
        try
        {
            if (await paths.OfAsync(header, cancellationToken).ConfigureAwait(false) is not { } path)
                return false;
            using var found = await api.GetAsync(path, cancellationToken).ConfigureAwait(false);
            return found is not null;
        }
        catch (Exception exception) when (exception is HttpRequestException or ApiException { IsTransient: true })
        {
            return false;
        }
    }
}
