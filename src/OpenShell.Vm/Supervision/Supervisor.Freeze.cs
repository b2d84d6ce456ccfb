using System.Globalization;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Supervision;

/// <summary>A machine that becomes a golden image: once it is ready it is waited for to be quiet, saved, and ended.</summary>
internal sealed partial class Supervisor
{
    /// <summary>Between two looks at the processor time that the machine takes.</summary>
    private static readonly TimeSpan QuietWindow = TimeSpan.FromSeconds(2);

    /// <summary>A cluster at rest takes a third of a processor under emulation; one that still starts, all it can get.</summary>
    private const double QuietShare = 0.6;

    /// <summary>So many looks in a row.</summary>
    private const int QuietWindows = 3;

    /// <summary>One that is not quiet by then never is: what it was given along works on, which does no harm.</summary>
    private static readonly TimeSpan QuietLimit = TimeSpan.FromMinutes(2);

    /// <summary>Saves the machine's devices beside its memory, which is a file, and ends it.</summary>
    internal async Task FreezeAsync(SavedMachine to, CancellationToken cancellationToken)
    {
        await _ready.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await StageAsync(BootStages.Node).ConfigureAwait(false);
        await StageAsync(BootStages.Gateway).ConfigureAwait(false);
        await BeQuietAsync(cancellationToken).ConfigureAwait(false);
        await SaveAsync(to, () => Task.CompletedTask, sleeps: false, cancellationToken).ConfigureAwait(false);
    }

    private async Task BeQuietAsync(CancellationToken cancellationToken)
    {
        var processor = new ProcessorTime(_machine!.Vmm.Identity);
        var (quiet, waited) = (0, TimeSpan.Zero);
        for (var before = processor.Used; quiet < QuietWindows && waited < QuietLimit; waited += QuietWindow)
        {
            await Task.Delay(QuietWindow, _options.Time, cancellationToken).ConfigureAwait(false);
            var now = processor.Used;
            var share = (now - before) / QuietWindow;
            quiet = share <= QuietShare ? quiet + 1 : 0;
            before = now;
            _log.Say(string.Create(CultureInfo.InvariantCulture, $"the machine takes {share:0.00} processors"));
        }
    }
}
