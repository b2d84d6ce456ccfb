namespace OpenShell.Vm.Guest.Processes;

/// <summary>An event that one waiter at a time consumes; set without a waiter, it is remembered once.</summary>
/// <param name="runInline">Whether the waiter goes on inside <see cref="Set"/> rather than on the thread pool.</param>
internal sealed class AsyncSignal(bool runInline)
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _waiter;
    private bool _isSet;

    public void Set()
    {
        while (true)
        {
            TaskCompletionSource? waiter;
            lock (_gate)
            {
                waiter = _waiter;
                _waiter = null;
                _isSet = waiter is null;
            }
            // One that was cancelled consumes nothing: then remember, for the next.
            if (waiter is null || waiter.TrySetResult())
                return;
        }
    }

    public async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource waiter;
        lock (_gate)
        {
            if (_isSet)
            {
                _isSet = false;
                return;
            }
            waiter = _waiter = new(runInline ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);
        }
        using (cancellationToken.UnsafeRegister(static (source, token) => ((TaskCompletionSource)source!).TrySetCanceled(token), waiter))
            await waiter.Task.ConfigureAwait(false);
    }
}
