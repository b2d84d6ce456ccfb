namespace OpenShell.Vm.Guest.Watching;

/// <summary>
/// Holds the cluster's services still while the machine is saved and for the first moment after it goes on. All their timers are due then, on processors that have to translate every piece of code anew where they are
/// emulated: they would make the gateway's first answer seconds late. Pods run on, as does what stands before the API server; whoever asks that waits a moment longer.
/// </summary>
/// <param name="set">Freezes them or lets them go; returns once they stand still.</param>
/// <param name="time">The machine's own time, which stands still with the machine.</param>
internal sealed class ServiceHold(Func<bool, Task> set, TimeProvider time) : IDisposable
{
    /// <summary>
    /// A host that resumes many at once may take half a minute from the guest's answer to the save, or from the resume to the gateway's answer; and services that go on before make it take longer. One that is gone must not leave a
    /// cluster that stands still.
    /// </summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly SemaphoreSlim _one = new(1);
    private ITimer? _limit;
    private volatile TaskCompletionSource? _held;

    /// <summary>Completes when nothing is held still, which may be now.</summary>
    public Task Over => _held?.Task ?? Task.CompletedTask;

    /// <summary>Returns once they stand still. They do until <see cref="LetGoAsync"/>, or for <see cref="Limit"/> after <see cref="ExpireLater"/>.</summary>
    public Task HoldAsync() => SetAsync(true);

    /// <summary>From now on the limit counts.</summary>
    public void ExpireLater()
    {
        var timer = time.CreateTimer(_ => _ = LetGoAsync(), null, Limit, Timeout.InfiniteTimeSpan);
        Interlocked.Exchange(ref _limit, timer)?.Dispose();
    }

    /// <summary>They go on; where they were not held nothing happens.</summary>
    public Task LetGoAsync()
    {
        Interlocked.Exchange(ref _limit, null)?.Dispose();
        return SetAsync(false);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _limit?.Dispose();
        _one.Dispose();
    }

    private async Task SetAsync(bool held)
    {
        await _one.WaitAsync().ConfigureAwait(false);
        try
        {
            if (held)
                _held ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await set(held).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            KernelConsole.Say($"services could not be {(held ? "held still" : "let go")}: {e.Message}");
        }
        finally
        {
            if (!held)
                Interlocked.Exchange(ref _held, null)?.SetResult();
            _one.Release();
        }
    }
}
