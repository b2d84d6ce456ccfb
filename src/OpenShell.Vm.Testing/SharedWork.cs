namespace OpenShell.Vm.Testing;

/// <summary>
/// Work that many ask for and one does. Whoever asks while it is under way waits for it, and what came of it is remembered; a failure is not, so the next one tries again. Who is cancelled stops waiting; when nobody
/// waits any more, the work is cancelled too, and the last to leave sees it end.
/// </summary>
internal sealed class SharedWork<TKey, T>
    where TKey : notnull
{
    private readonly Dictionary<TKey, Entry> _entries = [];
    private readonly Lock _gate = new();

    /// <summary>What the work for a key came to.</summary>
    /// <param name="key">Equal keys are the same work.</param>
    /// <param name="work">Done, if nobody does it already.</param>
    /// <param name="cancellationToken">This caller waits no longer.</param>
    public async Task<T> GetAsync(TKey key, Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        Entry entry;
        lock (_gate)
        {
            if (!_entries.TryGetValue(key, out entry!))
                _entries[key] = entry = new Entry(work);
            entry.Waiting++;
        }

        try
        {
            return await entry.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await LeaveAsync(key, entry).ConfigureAwait(false);
        }
    }

    /// <summary>Whether somebody does it at this moment, or has done it.</summary>
    public bool Knows(TKey key)
    {
        lock (_gate)
            return _entries.ContainsKey(key);
    }

    /// <summary>What it came to is not so any more.</summary>
    public void Forget(TKey key)
    {
        lock (_gate)
            _entries.Remove(key);
    }

    private async Task LeaveAsync(TKey key, Entry entry)
    {
        lock (_gate)
        {
            entry.Waiting--;
            if (entry.Task.IsCompletedSuccessfully || (entry.Waiting > 0 && !entry.Task.IsCompleted))
                return;
            if (_entries.GetValueOrDefault(key) == entry)
                _entries.Remove(key);
            if (entry.Task.IsCompleted)
                return;
        }

        await entry.Cancelled.CancelAsync().ConfigureAwait(false);
        await ((Task)entry.Task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private sealed class Entry
    {
        public Entry(Func<CancellationToken, Task<T>> work) => Task = System.Threading.Tasks.Task.Run(() => work(Cancelled.Token));

        public CancellationTokenSource Cancelled { get; } = new();

        public Task<T> Task { get; }

        public int Waiting { get; set; }
    }
}
