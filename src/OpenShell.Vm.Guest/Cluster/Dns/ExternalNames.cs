using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Threading.Channels;

namespace OpenShell.Vm.Guest.Cluster.Dns;

/// <summary>
/// The addresses of names outside of the cluster for which Services stand. dnsmasq cannot answer with an alias whose target it does not hold, so their targets
/// are looked up here, by the guest's own resolvers, now and again.
/// </summary>
/// <param name="changed">Called when a name has other addresses than before.</param>
/// <param name="lookUp">Looks a name up; an empty list when there is no such name.</param>
internal sealed class ExternalNames(Action changed, Func<string, CancellationToken, Task<IReadOnlyList<string>>>? lookUp = null)
{
    // Shorter than most records' time to live would be a burden on the host's resolver, longer a surprise for people.
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(30), Patience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, IReadOnlyList<string>?> _known = new();
    private readonly Channel<bool> _wanted = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Func<string, CancellationToken, Task<IReadOnlyList<string>>> _lookUp = lookUp ?? LookUpAsync;

    /// <summary>The addresses of a name, as far as they are known. Whoever asks has it looked up, and asks again when something changed.</summary>
    public IReadOnlyList<string> Of(string name)
    {
        if (_known.TryGetValue(name, out var addresses))
            return addresses ?? [];
        _known[name] = null;
        _wanted.Writer.TryWrite(true);
        return [];
    }

    /// <summary>Forgets the names for which nobody asks any more.</summary>
    public void Keep(IReadOnlySet<string> names)
    {
        foreach (var name in _known.Keys.Where(name => !names.Contains(name)))
            _known.TryRemove(name, out _);
    }

    /// <summary>Looks names up until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var all = !await IsWantedAsync(cancellationToken).ConfigureAwait(false);
            await Parallel.ForEachAsync(
                _known.Where(known => all || known.Value is null).Select(known => known.Key).ToList(),
                new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken },
                async (name, stop) => await RefreshAsync(name, stop).ConfigureAwait(false)).ConfigureAwait(false);
        }
    }

    /// <returns><see langword="false"/> when nothing new was wanted, and it is time for another look at all.</returns>
    private async Task<bool> IsWantedAsync(CancellationToken cancellationToken)
    {
        using var round = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        round.CancelAfter(Every);
        try
        {
            return await _wanted.Reader.ReadAsync(round.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task RefreshAsync(string name, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> addresses;
        try
        {
            addresses = await _lookUp(name, cancellationToken).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is SocketException or TimeoutException)
        {
            // Nobody answered: what was true is better than nothing. What never was known is tried again with the next round.
            return;
        }

        if (!_known.TryGetValue(name, out var before) || (before is not null && before.SequenceEqual(addresses)) || !_known.TryUpdate(name, addresses, before))
            return;
        if (before is not null || addresses.Count > 0)
            changed();
    }

    private static async Task<IReadOnlyList<string>> LookUpAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            // The dot: no search list.
            var addresses = await System.Net.Dns.GetHostAddressesAsync(name + ".", AddressFamily.InterNetwork, cancellationToken).ConfigureAwait(false);
            return [.. addresses.Select(a => a.ToString()).Order(StringComparer.Ordinal)];
        }
        catch (SocketException exception) when (exception.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData)
        {
            return [];
        }
    }
}
