using System.Diagnostics;
using System.Globalization;
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
    private TimeSpan ProcessorTime => Budget / 2;

    /// <summary>However starved: longer than this nobody waits.</summary>
    private TimeSpan Longest => Budget * 4;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    /// <summary>Completes when the guest hangs, with the time it was given.</summary>
    internal async Task<TimeSpan> WaitAsync(CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        await Task.Delay(Budget, cancellationToken).ConfigureAwait(false);
        while (Stopwatch.GetElapsedTime(start) < Longest && ProcessorTimeOf(vmm) < ProcessorTime)
            await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>User and system time of all threads of a process: fields 14 and 15 of /proc/PID/stat, in hundredths of a second (USER_HZ is 100 on every architecture that Linux runs QEMU on).</summary>
    private static TimeSpan ProcessorTimeOf(ProcessIdentity process)
    {
        if (!OperatingSystem.IsLinux())
            return TimeSpan.MaxValue;
        try
        {
            var stat = File.ReadAllText($"/proc/{process.Pid}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            if (Number(fields[22 - 3]) != process.StartTime)
                return TimeSpan.MaxValue;
            return TimeSpan.FromMilliseconds(10 * (Number(fields[14 - 3]) + Number(fields[15 - 3])));
        }
        catch (IOException)
        {
            return TimeSpan.MaxValue;
        }

        static long Number(string field) => long.Parse(field, CultureInfo.InvariantCulture);
    }
}
