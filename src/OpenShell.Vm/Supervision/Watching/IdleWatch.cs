namespace OpenShell.Vm.Supervision.Watching;

/// <summary>Notices that nobody has used the instance for a while.</summary>
/// <param name="limit">For how long.</param>
/// <param name="isUsed">Whether somebody does at this moment.</param>
/// <param name="onIdle">Is told once; when it fails, the time begins anew.</param>
/// <param name="time">The clock.</param>
internal sealed class IdleWatch(TimeSpan limit, Func<bool> isUsed, Func<CancellationToken, Task> onIdle, TimeProvider time) : IWatch
{
    private long _lastUsed = time.GetTimestamp();

    public string Name => "whether it is used";

    public TimeSpan Interval => TimeSpan.FromSeconds(1);

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var used = isUsed();
        if (!used && time.GetElapsedTime(_lastUsed) < limit)
            return;
        _lastUsed = time.GetTimestamp();
        if (!used)
            await onIdle(cancellationToken).ConfigureAwait(false);
    }
}
