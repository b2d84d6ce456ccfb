namespace OpenShell.Vm.Supervision.Watching;

/// <summary>Lets watches look at their intervals, each for itself, until the run ends.</summary>
internal static class WatchRunner
{
    /// <summary>Completes when it is cancelled.</summary>
    internal static Task RunAsync(IEnumerable<IWatch> watches, TimeProvider time, Action<string> say, CancellationToken cancellationToken) =>
        Task.WhenAll(watches.Select(watch => Task.Run(() => KeepLookingAsync(watch, time, say, cancellationToken), CancellationToken.None)));

    private static async Task KeepLookingAsync(IWatch watch, TimeProvider time, Action<string> say, CancellationToken cancellationToken)
    {
        string? said = null;
        try
        {
            while (true)
            {
                await Task.Delay(watch.Interval, time, cancellationToken).ConfigureAwait(false);
                try
                {
                    await watch.LookAsync(cancellationToken).ConfigureAwait(false);
                    said = null;
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested)
                {
                    // The same trouble is one line, however long it lasts.
                    if (said != e.Message)
                        say($"while watching {watch.Name}: {e.GetType().Name}: {said = e.Message}");
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The run is over.
        }
        catch (Exception e) when (cancellationToken.IsCancellationRequested)
        {
            say($"while watching {watch.Name}, at the end: {e.Message}");
        }
    }
}
