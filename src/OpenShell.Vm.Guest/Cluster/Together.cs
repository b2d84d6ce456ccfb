namespace OpenShell.Vm.Guest.Cluster;

/// <summary>Work that goes on for good, in several parts of which none is of use without the others.</summary>
internal static class Together
{
    private static readonly TimeSpan PauseAfterDefect = TimeSpan.FromSeconds(5);

    /// <summary>Runs all parts until the first fails, or all are cancelled; then none of them runs any more.</summary>
    public static async Task RunAsync(CancellationToken cancellationToken, params Func<CancellationToken, Task>[] parts)
    {
        using var scope = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = parts.Select(part => part(scope.Token)).ToList();
        var first = await Task.WhenAny(running).ConfigureAwait(false);
        await scope.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(running).ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default).ConfigureAwait(false);
        await first.ConfigureAwait(false);
    }

    /// <summary>Runs work that must not end: what it could not foresee is said, and it begins anew.</summary>
    /// <param name="what">Its name, for people.</param>
    /// <param name="work">Begins it, from nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task KeepAsync(string what, Func<CancellationToken, Task> work, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await work(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // Whatever it is: PID 1 must not end of it, and a cluster without names or volumes is worse than one attempt more.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                KernelConsole.Say($"{what} failed and begins anew: {exception}");
                await Task.Delay(PauseAfterDefect, cancellationToken).ConfigureAwait(false);
            }
        }
    }
}
