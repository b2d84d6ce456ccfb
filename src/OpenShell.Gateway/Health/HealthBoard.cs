using System.Runtime.CompilerServices;

namespace OpenShell.Gateway.Health;

/// <summary>The status of every service of this server, and of the server as a whole under the empty name. Safe for concurrent use.</summary>
internal sealed class HealthBoard
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, ServingStatus> _statuses = new(StringComparer.Ordinal);
    private TaskCompletionSource _changed = NewSignal();
    private bool _closed;

    /// <summary>Sets the status of a service, known before or not, and tells everyone who watches it. Without effect once closed.</summary>
    public void Set(string service, ServingStatus status)
    {
        lock (_lock)
        {
            if (_closed)
                return;
            _statuses[service] = status;
            Signal();
        }
    }

    /// <summary>For good: every service turns to <see cref="ServingStatus.NotServing"/>, watchers learn it, and then their watch ends.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _closed = true;
            foreach (var service in _statuses.Keys.ToArray())
                _statuses[service] = ServingStatus.NotServing;
            Signal();
        }
    }

    /// <summary>The status of a service; <see langword="null"/> if there is none of that name.</summary>
    public ServingStatus? Find(string service)
    {
        lock (_lock)
            return _statuses.TryGetValue(service, out var status) ? status : null;
    }

    /// <summary>
    /// The status of a service now, and then each other one that it changes to, until the board is closed. Who reads slowly misses
    /// what has changed back in the meantime, never the latest.
    /// </summary>
    public async IAsyncEnumerable<ServingStatus> WatchAsync(string service, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (ServingStatus? told = null; ;)
        {
            ServingStatus now;
            Task changed;
            bool closed;
            lock (_lock)
            {
                now = _statuses.GetValueOrDefault(service, ServingStatus.ServiceUnknown);
                changed = _changed.Task;
                closed = _closed;
            }
            if (now != told)
                yield return now;
            if (closed)
                yield break;
            told = now;
            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private void Signal()
    {
        _changed.SetResult();
        _changed = NewSignal();
    }

    // Watchers go on elsewhere, not under the lock of whoever made the change.
    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
