using OpenShell.Vm.Logs;

namespace OpenShell.Vm.Supervision;

/// <summary>Keeps the logs that other processes write from growing without end, as long as they run.</summary>
internal sealed class LogKeeper : IAsyncDisposable
{
    /// <summary>A guest that floods its console writes some 20 MB in that time.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Timer _timer;

    internal LogKeeper(IReadOnlyList<string> logs, LogLimits limits) =>
        _timer = new Timer(
            _ =>
            {
                foreach (var log in logs)
                    LogRotation.Rotate(log, limits);
            },
            null,
            Interval,
            Interval);

    public ValueTask DisposeAsync() => _timer.DisposeAsync();
}
