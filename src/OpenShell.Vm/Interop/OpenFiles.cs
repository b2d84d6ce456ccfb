using System.Runtime.InteropServices;

namespace OpenShell.Vm.Interop;

/// <summary>How many files this process may have open.</summary>
internal static unsafe partial class OpenFiles
{
    /// <summary>macOS says that there is no limit, and refuses to be taken at its word: OPEN_MAX of its sys/syslimits.h is what it allows.</summary>
    private const ulong MacMaximum = 10240;

    private static int Resource => OperatingSystem.IsMacOS() ? 8 : 7; // RLIMIT_NOFILE

    /// <summary>As many as are allowed: virtio-fs holds one open for every file that the guest knows. A failure leaves the limit as it was.</summary>
    internal static void RaiseLimit()
    {
        Limit limit;
        if (GetLimit(Resource, &limit) != 0)
            return;
        limit.Soft = OperatingSystem.IsMacOS() ? Math.Min(limit.Hard, MacMaximum) : limit.Hard;
        _ = SetLimit(Resource, &limit);
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, Limit* limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, Limit* limit);

    /// <summary><c>struct rlimit</c> on 64-bit Linux and macOS.</summary>
    private struct Limit
    {
        internal ulong Soft;
        internal ulong Hard;
    }
}
