using System.Globalization;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Supervision;

/// <summary>A machine that becomes a golden image: once it is ready it is waited for to be quiet, saved, and ended.</summary>
internal sealed partial class Supervisor
{
    /// <summary>Between two looks at the processor time that the machine takes.</summary>
    private static readonly TimeSpan QuietWindow = TimeSpan.FromSeconds(2);

    /// <summary>So many looks are compared with as many before them.</summary>
    private const int QuietWindows = 5;

    /// <summary>What a cluster at rest takes depends on the host; one that still starts takes less from look to look. One that takes as much as a moment ago has settled.</summary>
    private const double Settled = 0.9;

    /// <summary>In processors: a cluster at rest takes half of one where it is emulated. One that works at full speed takes as much as a moment ago too, and is not at rest.</summary>
    private const double Quiet = 1;

    /// <summary>One that has not settled by then never does: what it was given along works on, which does no harm.</summary>
    private static readonly TimeSpan QuietLimit = TimeSpan.FromMinutes(2);

    /// <summary>Saves the machine's devices beside its memory, which is a file, and ends it.</summary>
    internal async Task FreezeAsync(SavedMachine to, CancellationToken cancellationToken)
    {
        await _ready.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await StageAsync(BootStages.Node).ConfigureAwait(false);
        await StageAsync(BootStages.Gateway).ConfigureAwait(false);
        await BeQuietAsync(cancellationToken).ConfigureAwait(false);
        await SavingAsync(() => SaveAsync(to, () => Task.CompletedTask, Sleep.None, cancellationToken)).ConfigureAwait(false);
    }

    private async Task BeQuietAsync(CancellationToken cancellationToken)
    {
        var processor = new ProcessorTime(_machine!.Vmm.Identity);
        var shares = new List<double>();
        for (var before = processor.Used; shares.Count * QuietWindow < QuietLimit && !HasSettled(shares);)
        {
            await Task.Delay(QuietWindow, _options.Time, cancellationToken).ConfigureAwait(false);
            var now = processor.Used;
            shares.Add((now - before) / QuietWindow);
            before = now;
        }

        _log.Say(string.Create(CultureInfo.InvariantCulture, $"the machine takes {shares.TakeLast(QuietWindows).Average():0.00} processors and is saved"));
    }

    /// <summary>Whether the last looks found little, and no less than those before them.</summary>
    internal static bool HasSettled(IReadOnlyList<double> shares) =>
        shares.Count >= 2 * QuietWindows && shares.TakeLast(QuietWindows).Average() is <= Quiet and var last && last >= Settled * shares.SkipLast(QuietWindows).TakeLast(QuietWindows).Average();
}
