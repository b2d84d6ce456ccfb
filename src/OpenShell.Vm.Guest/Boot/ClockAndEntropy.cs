using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>What a virtual machine cannot know by itself: the time, and something random.</summary>
internal static class ClockAndEntropy
{
    // include/uapi/linux/random.h: _IOW('R', 0x03, int[2])
    private const nuint AddEntropy = 0x40085203;

    // _IO('R', 0x07): the generator takes from the pool now, and not when its turn comes.
    private const nuint ReseedNow = 0x5207;

    /// <summary>Sets the wall clock to the host's.</summary>
    /// <param name="unixNanoseconds">Nanoseconds since the Unix epoch.</param>
    public static void SetClock(long unixNanoseconds)
    {
        var time = new Linux.TimeSpec { Seconds = unixNanoseconds / 1_000_000_000, Nanoseconds = unixNanoseconds % 1_000_000_000 };
        if (Linux.ClockSetTime(Linux.ClockRealtime, time) != 0)
            KernelConsole.Say("the clock could not be set: " + Errno.LastText);
    }

    /// <summary>Gives the kernel random bytes and says that they are (random(4), RNDADDENTROPY): keys may be made from now on.</summary>
    /// <returns>Whether it was taken; why not, is on the console.</returns>
    public static unsafe bool Credit(ReadOnlySpan<byte> entropy)
    {
        // struct rand_pool_info: entropy in bits, length in bytes, the bytes
        var request = new byte[8 + entropy.Length];
        BitConverter.TryWriteBytes(request, entropy.Length * 8);
        BitConverter.TryWriteBytes(request.AsSpan(4), entropy.Length);
        entropy.CopyTo(request.AsSpan(8));
        var random = Linux.Open("/dev/random", Linux.OpenWriteOnly | Linux.OpenCloseOnExec, 0);
        int result;
        fixed (byte* start = request)
            result = Linux.Ioctl(random, AddEntropy, start);
        if (result != 0)
            KernelConsole.Say("entropy could not be credited: " + Errno.LastText);
        _ = Linux.Close(random);
        return result == 0;
    }

    /// <summary>Has the kernel's generator take what was credited at once (random(4), RNDRESEEDCRNG): what it gives from now on is that of no other machine with the same memory.</summary>
    /// <returns>Whether it did; why not, is on the console.</returns>
    public static unsafe bool Reseed()
    {
        var random = Linux.Open("/dev/random", Linux.OpenWriteOnly | Linux.OpenCloseOnExec, 0);
        var result = Linux.Ioctl(random, ReseedNow, null);
        if (result != 0)
            KernelConsole.Say("the kernel's randomness could not be reseeded: " + Errno.LastText);
        _ = Linux.Close(random);
        return result == 0;
    }
}
