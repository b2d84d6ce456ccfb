using System.Diagnostics;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Supervision.Watching;

/// <summary>Three clocks of the host at one instant, each since an epoch of its own (https://man7.org/linux/man-pages/man2/clock_gettime.2.html).</summary>
/// <param name="Wall">The time of day, since 1970.</param>
/// <param name="SinceBoot">Goes on while the host sleeps.</param>
/// <param name="Awake">Stands still while it does.</param>
internal readonly record struct HostClocks(TimeSpan Wall, TimeSpan SinceBoot, TimeSpan Awake)
{
    // Linux: CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_MONOTONIC. macOS, by its headers and not run yet: CLOCK_REALTIME, CLOCK_MONOTONIC_RAW, CLOCK_UPTIME_RAW.
    private static readonly (int Wall, int SinceBoot, int Awake) Ids = OperatingSystem.IsMacOS() ? (0, 4, 8) : (0, 7, 1);

    /// <summary>As they stand now.</summary>
    internal static HostClocks Read() => new(Read(Ids.Wall), Read(Ids.SinceBoot), Read(Ids.Awake));

    private static unsafe TimeSpan Read(int clock)
    {
        // struct timespec of 64-bit systems, owned here.
        var time = stackalloc long[2];
        if (Libc.ClockGetTime(clock, time) != 0)
            throw new UnreachableException($"clock {clock} cannot be read");
        return TimeSpan.FromSeconds(time[0]) + TimeSpan.FromTicks(time[1] / TimeSpan.NanosecondsPerTick);
    }
}
