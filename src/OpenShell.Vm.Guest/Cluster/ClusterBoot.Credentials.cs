using System.Diagnostics.CodeAnalysis;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Guest.Watching;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Cluster;

/// <summary>Credentials that change while the cluster runs: renewed, or those of another instance.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Lives as long as PID 1.")]
internal sealed partial class ClusterBoot : IResumedCluster
{
    private readonly SemaphoreSlim _changing = new(1);
    private volatile bool _deployed;
    private int _instance;

    /// <inheritdoc/>
    public string? Address => _node.Address;

    /// <inheritdoc/>
    public string? Gateway => _config.Network?.Gateway;

    /// <inheritdoc/>
    public bool IsUp => _deployed && _context is not null && _api.Task.IsCompletedSuccessfully;

    /// <summary>Makes certificates anew that end within a time, and has everything that runs use them.</summary>
    /// <exception cref="GuestFaultException">The cluster has not come up yet, or refuses.</exception>
    public async Task<CertificateRenewalReply> RenewCertificatesAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        if (_context is not { } context || !_api.Task.IsCompletedSuccessfully)
            throw new GuestFaultException("guest.not-ready", "the cluster has not come up yet.", "Wait until it is ready.");
        if (!await _changing.WaitAsync(TimeSpan.Zero, cancellationToken).ConfigureAwait(false))
            throw new GuestFaultException("guest.busy", "certificates are being renewed.", "Wait until that is done.");
        try
        {
            var instance = Volatile.Read(ref _instance);
            var before = context.Certificates;
            var store = new CertificateStore(StateLayout.Pki, TimeProvider.System);
            var now = store.Ensure(Profiles(), margin: within);
            string[] renewed = [.. now.Where(c => before.GetValueOrDefault(c.Key) != c.Value).Select(c => c.Key).Order(StringComparer.Ordinal)];
            store.Flush();
            RequireStill(instance);
            if (renewed.Any(ClusterCertificates.IsOfInstance))
                _files.Serve(now);
            var replaced = await _distribution.UseAsync(now, renewed, context, Services, cancellationToken).ConfigureAwait(false);
            RequireStill(instance);

            // Only now: what failed half-way is done again the next time.
            _context = context with { Certificates = now };
            return new CertificateRenewalReply(renewed, replaced);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public void Become(string identity, string gatewayName, IReadOnlyDictionary<string, KeyPair> credentials)
    {
        var context = _context ?? throw new InvalidOperationException("The cluster is not up.");
        var certificates = new Dictionary<string, KeyPair>(context.Certificates);
        foreach (var (name, pair) in credentials)
            certificates[name] = pair;
        Interlocked.Increment(ref _instance);
        _cluster = _cluster with { ApiFront = HasFront, Identity = identity, GatewayName = gatewayName };
        _context = context with { Certificates = certificates };
        _files.Serve(certificates);
    }

    /// <inheritdoc/>
    public void Stir()
    {
        if (_context is { } context)
            _files.Serve(context.Certificates);
    }

    /// <inheritdoc/>
    public async Task FollowAsync(IReadOnlyCollection<string> changed, CancellationToken cancellationToken)
    {
        // A renewal that the memory was saved in the middle of ends first, and is overtaken.
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var context = _context ?? throw new InvalidOperationException("The cluster is not up.");
            await _distribution.UseAsync(context.Certificates, [.. changed], context, Services, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    private void RequireStill(int instance)
    {
        if (Volatile.Read(ref _instance) != instance)
            throw new GuestFaultException("guest.busy", "the machine became another instance meanwhile.", "Ask again.");
    }
}
