using System.Globalization;

namespace OpenShell.Vm.Supervision.Watching;

/// <summary>How long a guest that has said hello may be silent.</summary>
/// <param name="Silence">After this long it hangs, if it had processor time meanwhile.</param>
/// <param name="ProcessorTime">Less than this, and the host was busy, not the guest hanging.</param>
/// <param name="Longest">However starved: after this long it counts as hanging. A kernel that stands still uses no processor time either.</param>
internal sealed record HeartbeatLimits(TimeSpan Silence, TimeSpan ProcessorTime, TimeSpan Longest)
{
    /// <summary>By what the guest runs on. Emulated, with everything starting at once, PID 1 has been seen to take several seconds for an answer; on hardware it takes microseconds.</summary>
    internal static HeartbeatLimits For(bool emulated) => Of(emulated ? TimeSpan.FromMinutes(3) : TimeSpan.FromSeconds(30));

    internal static HeartbeatLimits Of(TimeSpan silence) => new(silence, silence / 4, silence * 4);
}

/// <summary>Asks PID 1 for an answer over the agent's channel. A guest whose kernel hangs, or whose PID 1 gets no turn, gives none.</summary>
/// <param name="ping">One question; completes with the answer.</param>
/// <param name="processorTime">What the machine has used so far.</param>
/// <param name="isPaused">Whether the hypervisor holds the machine: then it cannot answer.</param>
/// <param name="limits">How long it may be silent.</param>
/// <param name="hangs">Told once, with how long it was silent.</param>
/// <param name="time">The clock; it must not go on while the host sleeps.</param>
internal sealed class HeartbeatWatch(
    Func<CancellationToken, Task> ping, Func<TimeSpan> processorTime, Func<bool> isPaused, HeartbeatLimits limits, Action<string> hangs, TimeProvider time) : IWatch
{
    /// <summary>So often within the limit that one lost turn does not matter.</summary>
    private const int LooksPerLimit = 6;

    private long _heard = time.GetTimestamp();
    private TimeSpan _used = processorTime();
    private bool _told;

    public string Name => "the guest's heartbeat";

    public TimeSpan Interval { get; } = limits.Silence / LooksPerLimit;

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        if (isPaused() || await AnswersAsync(cancellationToken).ConfigureAwait(false))
        {
            (_heard, _used) = (time.GetTimestamp(), processorTime());
            return;
        }

        var silent = time.GetElapsedTime(_heard);
        var used = processorTime() - _used;
        if (_told || silent < limits.Silence || (used < limits.ProcessorTime && silent < limits.Longest))
            return;
        _told = true;
        hangs(string.Create(CultureInfo.InvariantCulture, $"no word from PID 1 for {silent.TotalSeconds:0} s, in which the machine used {used.TotalSeconds:0.0} s of processor time"));
    }

    private async Task<bool> AnswersAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Interval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await ping(either.Token).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
