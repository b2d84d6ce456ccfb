using System.Collections.Concurrent;

namespace OpenShell.Vm.Guest.Services;

/// <summary>What holds by now. Waiting costs nothing: nobody polls.</summary>
internal sealed class ConditionBoard
{
    private readonly ConcurrentDictionary<Condition, TaskCompletionSource> _conditions = new();

    /// <summary>Makes a condition hold, for good: a service that later ends is restarted, and those that depend on it know how to wait by themselves.</summary>
    public void Fulfil(Condition condition) => Find(condition).TrySetResult();

    /// <summary>Whether it holds.</summary>
    public bool Holds(Condition condition) => Find(condition).Task.IsCompleted;

    /// <summary>Waits until it holds.</summary>
    public Task WaitAsync(Condition condition, CancellationToken cancellationToken = default) => Find(condition).Task.WaitAsync(cancellationToken);

    private TaskCompletionSource Find(Condition condition) =>
        _conditions.GetOrAdd(condition, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
