using System.Threading.Channels;
using OpenShell.Vm.Guest.Cluster.Api;
using OpenShell.Vm.Guest.Networking;
using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Cluster.Dns;

/// <summary>
/// Tells dnsmasq the cluster's names: follows Services and Endpoints, and writes what they come to whenever it changes. It begins with full lists, at every boot and whenever the
/// API server was away, so that nothing which was missed stays wrong.
/// </summary>
internal sealed class DnsFeed
{
    // A rollout changes an Endpoints object with every pod: several changes in a row are one.
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(150), PauseAfterRefusal = TimeSpan.FromSeconds(2);

    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ApiClient _api;
    private readonly ServiceManager _manager;
    private readonly DnsPlace _place;
    private readonly DnsFiles _files;
    private readonly IReadOnlyList<string> _resolvers;
    private readonly ObjectMirror<ServiceNames> _services;
    private readonly ObjectMirror<EndpointsNames> _endpoints;
    private readonly ExternalNames _external;
    private string? _said;

    /// <summary>A feed; nothing is done yet.</summary>
    /// <param name="api">Where the names are from.</param>
    /// <param name="manager">Who runs dnsmasq.</param>
    /// <param name="resolvers">Who knows all other names.</param>
    /// <param name="place">Where dnsmasq listens and reads.</param>
    public DnsFeed(ApiClient api, ServiceManager manager, IReadOnlyList<string> resolvers, DnsPlace place)
    {
        _api = api;
        _manager = manager;
        _place = place;
        _files = new DnsFiles(manager, place);
        _resolvers = resolvers;
        _services = new ObjectMirror<ServiceNames>(api, "/api/v1/services", ServiceNames.Read, Changed);
        _endpoints = new ObjectMirror<EndpointsNames>(api, "/api/v1/endpoints", EndpointsNames.Read, Changed);
        _external = new ExternalNames(Changed);
    }

    /// <summary>Feeds until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        InterfaceControl.Up(DnsLayout.Interface, new Ipv4Network(System.Net.IPAddress.Parse(DnsLayout.Address), 32));
        _files.Prepare(_resolvers);
        await Together.RunAsync(cancellationToken, _services.RunAsync, _endpoints.RunAsync, _external.RunAsync, WriteAsync).ConfigureAwait(false);
    }

    private void Changed() => _changes.Writer.TryWrite(true);

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        await Task.WhenAll(_services.Listed, _endpoints.Listed).WaitAsync(cancellationToken).ConfigureAwait(false);
        while (true)
        {
            var services = _services.All;
            var endpoints = _endpoints.All;
            _external.Keep(services.Where(s => s.ExternalName is not null).Select(s => s.ExternalName!.TrimEnd('.').ToLowerInvariant()).ToHashSet());
            _files.Update(DnsZone.Of(services, endpoints, _external.Of, _place.SecondServer));
            _manager.Board.Fulfil(new Condition.Done(Milestone.Names));
            // Not through the change alone: a refusal is tried again.
            if (!KubeDns.IsThere(services, endpoints) && !await TryMakeServiceAsync(cancellationToken).ConfigureAwait(false))
            {
                await Task.Delay(PauseAfterRefusal, cancellationToken).ConfigureAwait(false);
                continue;
            }

            await _changes.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            await Task.Delay(Settle, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> TryMakeServiceAsync(CancellationToken cancellationToken)
    {
        try
        {
            foreach (var (path, manifest) in KubeDns.Objects)
                await _api.ApplyAsync(path, manifest, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (exception is ApiException or HttpRequestException)
        {
            if (exception.Message != _said)
                KernelConsole.Say($"the Service {DnsLayout.ServiceName} could not be made and is tried again: {_said = exception.Message}");
            return false;
        }
    }
}
