using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest;

/// <summary>Time since the kernel started; unlike the wall clock it is right before the host has told the time.</summary>
internal static class Uptime
{
    /// <summary>CLOCK_BOOTTIME, as stage reports carry it.</summary>
    public static long Nanoseconds
    {
        get
        {
            _ = Linux.ClockGetTime(Linux.ClockBoottime, out var time);
            return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
        }
    }
}
