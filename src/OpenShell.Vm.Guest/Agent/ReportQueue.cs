using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>Reports on their way to the host, whichever session takes them. Bounded: the newest say most.</summary>
internal sealed class ReportQueue
{
    private readonly LinkedList<StageReport> _reports = [];
    private TaskCompletionSource _added = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Add(StageReport report)
    {
        lock (_reports)
        {
            if (_reports.Count == ProtocolLimits.MaxQueuedReports)
                _reports.RemoveFirst();
            _reports.AddLast(report);
            _added.TrySetResult();
        }
    }

    /// <summary>Waits for the oldest report and leaves it in the queue until <see cref="Remove"/>.</summary>
    public async Task<StageReport> PeekAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task added;
            lock (_reports)
            {
                if (_reports.First is { } first)
                    return first.Value;
                if (_added.Task.IsCompleted)
                    _added = new(TaskCreationOptions.RunContinuationsAsynchronously);
                added = _added.Task;
            }
            await added.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes a report that was sent out of the queue, if it is still there.</summary>
    public void Remove(StageReport report)
    {
        lock (_reports)
        {
            if (ReferenceEquals(_reports.First?.Value, report))
                _reports.RemoveFirst();
        }
    }
}
