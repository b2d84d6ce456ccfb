using System.Collections.Concurrent;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Tests.Services;

/// <summary>Keeps what was reported, and lets a test wait for it.</summary>
internal sealed class RecordingReporter : IStageReporter
{
    private readonly ConcurrentQueue<StageReport> _reports = new();
    private readonly SemaphoreSlim _changed = new(0);

    public IReadOnlyList<StageReport> Reports => [.. _reports];

    public void Report(string stage, StageState state, string? detail = null, GuestFault? fault = null, ServiceEnd? ended = null)
    {
        _reports.Enqueue(new StageReport { Stage = stage, State = state, UptimeNanoseconds = 0, Detail = detail, Fault = fault, Ended = ended });
        _changed.Release();
    }

    public async Task<StageReport> WaitForAsync(Func<StageReport, bool> wanted)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            if (_reports.FirstOrDefault(wanted) is { } report)
                return report;
            await _changed.WaitAsync(patience.Token);
        }
    }
}
