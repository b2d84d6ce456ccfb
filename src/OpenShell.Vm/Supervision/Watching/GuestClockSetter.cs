using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Supervision.Watching;

/// <summary>
/// Sets a guest's clock by the host's more exactly than one message can, whose way takes as long as it takes: asks how far apart they are until an answer comes quickly, and adds half of its way,
/// as NTP does (https://www.rfc-editor.org/rfc/rfc5905#section-8).
/// </summary>
/// <param name="now">The host's clock.</param>
/// <param name="time">How long ways take.</param>
/// <param name="tell">Tells the guest; <see langword="null"/>: there is nobody to tell.</param>
internal sealed class GuestClockSetter(Func<DateTimeOffset> now, TimeProvider time, Func<HostChange, CancellationToken, Task<HostChangeReply?>> tell)
{
    /// <summary>An answer that took no longer says enough.</summary>
    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(4);

    /// <summary>What is not worth a step of the clock.</summary>
    private static readonly TimeSpan Close = TimeSpan.FromMilliseconds(10);

    private const int Questions = 6, Rounds = 3;

    /// <summary>Sets it, unless it is right.</summary>
    /// <returns>How far it is off now, as far as can be told; <see langword="null"/>: the guest does not say.</returns>
    public Task<TimeSpan?> SettleAsync(CancellationToken cancellationToken) => SettleAsync(Rounds, Questions, cancellationToken);

    /// <summary>By one question only, for when somebody waits: as exactly as half of its way.</summary>
    /// <returns>How far it was off.</returns>
    public Task<TimeSpan?> SetOnceAsync(CancellationToken cancellationToken) => SettleAsync(1, 1, cancellationToken);

    private async Task<TimeSpan?> SettleAsync(int rounds, int questions, CancellationToken cancellationToken)
    {
        TimeSpan? off = null;
        for (var round = 0; round < rounds; round++)
        {
            if (await CompareAsync(questions, cancellationToken).ConfigureAwait(false) is not { } seen)
                return off;
            off = seen.Off;
            if (seen.Off.Duration() <= Close)
                break;
            await tell(Change(now() + seen.Way), cancellationToken).ConfigureAwait(false);
        }

        return off;
    }

    /// <summary>By the quickest of several answers.</summary>
    private async Task<(TimeSpan Off, TimeSpan Way)?> CompareAsync(int questions, CancellationToken cancellationToken)
    {
        (TimeSpan Off, TimeSpan Way)? best = null;
        for (var question = 0; question < questions && (best is null || best.Value.Way > Quick / 2); question++)
        {
            var (asked, began) = (now(), time.GetTimestamp());
            if (await tell(Change(asked) with { OnlyCompares = true }, cancellationToken).ConfigureAwait(false) is not { ClockOffsetNanoseconds: { } behind })
                return best;
            var way = time.GetElapsedTime(began) / 2;
            if (best is null || way < best.Value.Way)
                best = (TimeSpan.FromTicks(behind / TimeSpan.NanosecondsPerTick) + way, way);
        }

        return best;
    }

    private static HostChange Change(DateTimeOffset host) => new() { HostTimeUnixNanoseconds = host.ToUnixTimeNanoseconds() };
}
