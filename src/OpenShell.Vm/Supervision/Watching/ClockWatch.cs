using System.Globalization;
using OpenShell.Vm.Events;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Supervision.Watching;

/// <summary>
/// Notices that the host slept, or that its clock was set, and has the guest follow. A guest's own clock stands still with the host, and nothing else in it would ever put it right. A clock that
/// is slewed is not noticed and need not be: the guest's runs by the same one. Now and then the two are compared: somebody in the guest may have set its clock, or the machine was held for a while.
/// </summary>
/// <param name="read">The host's clocks.</param>
/// <param name="tell">Tells the guest; <see langword="null"/>: there is nobody to tell yet.</param>
/// <param name="report">Takes the event.</param>
/// <param name="compares">Whether the guest's clock is kept at the host's whatever is done in the guest: a cluster's; whoever runs a program may want to set it.</param>
internal sealed class ClockWatch(Func<HostClocks> read, Func<HostChange, CancellationToken, Task<HostChangeReply?>> tell, Reporting report, bool compares = false) : IWatch
{
    /// <summary>Reading three clocks one after the other on a busy host can take milliseconds; a second off does no harm that is worth a step of the clock.</summary>
    private static readonly TimeSpan Noticed = TimeSpan.FromSeconds(1);

    /// <summary>The guest is asked at every so manyth look.</summary>
    private const int LooksPerComparison = 4;

    /// <summary>Beyond what the answer took: an emulated guest that is busy takes seconds for it, and certificates are made with an hour to spare.</summary>
    private static readonly TimeSpan Tolerated = TimeSpan.FromSeconds(10);

    private int _looks;
    private HostClocks _before = read();
    private TimeSpan _slept, _set;

    public string Name => "the host's clock";

    public TimeSpan Interval => TimeSpan.FromSeconds(5);

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = read();
        var slept = now.SinceBoot - now.Awake - (_before.SinceBoot - _before.Awake);
        var set = now.Wall - now.SinceBoot - (_before.Wall - _before.SinceBoot);
        if (slept >= Noticed || set.Duration() >= Noticed)
        {
            // Kept until the guest has been told: a channel that is broken at this moment must not lose it.
            (_before, _slept, _set) = (now, _slept + slept, _set + set);
        }

        if (_slept == TimeSpan.Zero && _set == TimeSpan.Zero)
        {
            if (compares && ++_looks % LooksPerComparison == 0)
                await CompareAsync(cancellationToken).ConfigureAwait(false);
            return;
        }

        if (await tell(Now() with { Network = _slept > TimeSpan.Zero }, cancellationToken).ConfigureAwait(false) is not { } reply)
            return;
        report(EventNames.ClockJumped, $"{What()}; {Done(reply)}");
        (_slept, _set) = (TimeSpan.Zero, TimeSpan.Zero);
    }

    /// <summary>First asked, then set: a question that the guest answers late does no harm.</summary>
    private async Task CompareAsync(CancellationToken cancellationToken)
    {
        var asked = read();
        if (await tell(Now() with { OnlyCompares = true }, cancellationToken).ConfigureAwait(false) is not { ClockOffsetNanoseconds: { } off })
            return;
        if (TimeSpan.FromTicks(off / TimeSpan.NanosecondsPerTick).Duration() < Tolerated + (read().Awake - asked.Awake))
            return;
        if (await tell(Now(), cancellationToken).ConfigureAwait(false) is { } reply)
            report(EventNames.ClockJumped, $"the guest's clock was not the host's; {Done(reply)}");
    }

    private HostChange Now() => new() { HostTimeUnixNanoseconds = read().Wall.Ticks * TimeSpan.NanosecondsPerTick };

    private string What()
    {
        string[] parts =
        [
            .. _slept >= Noticed ? [$"the host slept for {Text(_slept)}"] : (string[])[],
            .. _set.Duration() >= Noticed ? [$"the host's clock was set {(_set > TimeSpan.Zero ? "forward" : "back")} by {Text(_set.Duration())}"] : (string[])[],
        ];
        return string.Join(" and ", parts);
    }

    private static string Done(HostChangeReply reply)
    {
        var offset = TimeSpan.FromTicks((reply.ClockOffsetNanoseconds ?? 0) / TimeSpan.NanosecondsPerTick);
        var told = reply.Told.Count == 0 ? "" : $", and {string.Join(", ", reply.Told)} told";
        return $"the guest's clock, {Text(offset.Duration())} {(offset < TimeSpan.Zero ? "ahead" : "behind")}, was set{told}";
    }

    private static string Text(TimeSpan time) => time.TotalDays >= 2
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalDays} days")
        : time.TotalHours >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalHours} h {time.Minutes} min")
        : time.TotalMinutes >= 1 ? string.Create(CultureInfo.InvariantCulture, $"{time.Minutes} min {time.Seconds} s") : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");
}

/// <summary>Takes an event: name, one sentence, and what it is about.</summary>
internal delegate void Reporting(string name, string message, string? subject = null);
