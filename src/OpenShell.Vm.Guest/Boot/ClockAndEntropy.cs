using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>What a virtual machine cannot know by itself: the time, and something random.</summary>
internal static class ClockAndEntropy
{
    // include/uapi/linux/random.h: _IOW('R', 0x03, int[2])
    private const nuint AddEntropy = 0x40085203;

    /// <summary>Sets the wall clock to the host's.</summary>
    /// <param name="unixNanoseconds">Nanoseconds since the Unix epoch.</param>
    public static void SetClock(long unixNanoseconds)
    {
        var time = new Linux.TimeSpec { Seconds = unixNanoseconds / 1_000_000_000, Nanoseconds = unixNanoseconds % 1_000_000_000 };
        if (Linux.ClockSetTime(Linux.ClockRealtime, time) != 0)
            KernelConsole.Say("the clock could not be set: " + Errno.LastText);
    }

    /// <summary>Gives the kernel random bytes and says that they are (random(4), RNDADDENTROPY): keys may be made from now on.</summary>
    public static unsafe void Credit(ReadOnlySpan<byte> entropy)
    {
        // struct rand_pool_info: entropy in bits, length in bytes, the bytes
        var request = new byte[8 + entropy.Length];
        BitConverter.TryWriteBytes(request, entropy.Length * 8);
        BitConverter.TryWriteBytes(request.AsSpan(4), entropy.Length);
        entropy.CopyTo(request.AsSpan(8));
        var random = Linux.Open("/dev/random", Linux.OpenWriteOnly | Linux.OpenCloseOnExec, 0);
        fixed (byte* start = request)
        {
            if (Linux.Ioctl(random, AddEntropy, start) != 0)
                KernelConsole.Say("entropy could not be credited: " + Errno.LastText);
        }

        _ = Linux.Close(random);
    }
}
