using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Logs;

namespace OpenShell.Vm.Supervision;

/// <summary>Keeps the logs that other processes write from growing without end, as long as they run.</summary>
internal sealed class LogKeeper : IAsyncDisposable
{
    /// <summary>A guest that floods its console writes some 20 MB in that time.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly Timer _timer;

    /// <param name="logs">Which, asked each time.</param>
    /// <param name="limits">How much of each.</param>
    internal LogKeeper(Func<IEnumerable<string>> logs, LogLimits limits) =>
        _timer = new Timer(
            _ =>
            {
                foreach (var log in logs())
                    LogRotation.Rotate(log, limits);
            },
            null,
            Interval,
            Interval);

    /// <summary>Those of an instance. The console's only with a hypervisor that goes on at the end of a file that was cut, and so not before it is known which it is: libkrun does not.</summary>
    internal static IEnumerable<string> LogsOf(InstanceFiles files, string? hypervisor) =>
        [files.VmmLog, files.KrunLog, files.GvproxyLog, files.VirtiofsdLog, .. hypervisor is null or HypervisorNames.Libkrun ? (string[])[] : [files.ConsoleLog]];

    public ValueTask DisposeAsync() => _timer.DisposeAsync();
}
