using System.Diagnostics;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;

namespace OpenShell.Vm.Supervision;

/// <summary>
/// Decides that a guest which has not said a word hangs in early boot (under emulation a kernel now and then waits for a timer that never ticks). By the clock
/// alone a busy host would look like a hang, so processor time counts too: a machine that was not given any has had no chance.
/// </summary>
/// <param name="accelerator">What the guest runs on.</param>
/// <param name="vmm">The hypervisor's process.</param>
/// <param name="budget">Another budget than the accelerator's.</param>
internal sealed class HangDetector(Accelerator accelerator, ProcessIdentity vmm, TimeSpan? budget = null)
{
    /// <summary>Hello comes 2 s after power-on here under emulation, in a fraction of that with KVM; the rest is for slower hosts.</summary>
    internal TimeSpan Budget { get; } = budget ?? (accelerator == Accelerator.Tcg ? TimeSpan.FromSeconds(30) : TimeSpan.FromSeconds(10));

    /// <summary>Processor time without which the clock does not count: several times what a boot to hello takes.</summary>
    private TimeSpan Needed => Budget / 2;

    /// <summary>However starved: longer than this nobody waits.</summary>
    private TimeSpan Longest => Budget * 4;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Completes when the guest hangs, with the time it was given.</summary>
    internal async Task<TimeSpan> WaitAsync(CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        var processor = new ProcessorTime(vmm);
        await Task.Delay(Budget, cancellationToken).ConfigureAwait(false);
        while (Stopwatch.GetElapsedTime(start) < Longest && processor.Used < Needed)
            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        return Stopwatch.GetElapsedTime(start);
    }
}
