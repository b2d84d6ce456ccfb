using System.Globalization;
using System.Runtime.InteropServices;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Supervision;

/// <summary>
/// Gives back what a process needed for its start and will not need again soon: a start runs through ten times the code that waiting does, and pages of programs that are mapped stay in memory longer than
/// others. Whatever is used again comes back by itself. Only for a process that is the supervisor's alone.
/// </summary>
internal static class WorkingSet
{
    private const int DontNeed = 4; // MADV_DONTNEED, Linux

    /// <summary>Objects that nobody has, pools of the C library, and pages of programs and libraries.</summary>
    internal static void Trim()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (!OperatingSystem.IsLinux())
            return;
        TrimHeap();
        try
        {
            foreach (var (start, length) in Unchanged(File.ReadAllLines("/proc/self/smaps")))
                _ = Libc.Advise(start, length, DontNeed);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then they stay.
        }
    }

    /// <summary>
    /// The mappings, by <c>/proc/PID/smaps</c> (https://docs.kernel.org/filesystems/proc.html), that are of a file that is still there, cannot be written, and hold no page of their own: what madvise(2) lets
    /// go of those is read from the same file when it is used again. Pure.
    /// </summary>
    internal static IEnumerable<(nint Start, nuint Length)> Unchanged(IReadOnlyList<string> smaps)
    {
        (nint Start, nuint Length)? current = null;
        foreach (var line in smaps)
        {
            // Begins "START-END PERMISSIONS OFFSET DEVICE INODE PATH"; lines about a mapping are "Name:   VALUE kB".
            var words = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
            if (words[0].EndsWith(':'))
            {
                if (words[0] == "Anonymous:" && words[1] == "0" && current is { } unchanged)
                    yield return unchanged;
                continue;
            }

            current = words is [var range, var permissions, _, _, not "0", ['/', ..] path]
                && permissions[0] == 'r' && permissions[1] == '-' && permissions[3] == 'p'
                && !path.EndsWith(" (deleted)", StringComparison.Ordinal)
                ? Range(range)
                : null;
        }
    }

    private static (nint Start, nuint Length) Range(string range)
    {
        var ends = range.Split('-');
        var start = nint.Parse(ends[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return (start, (nuint)(nint.Parse(ends[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture) - start));
    }

    // glibc's own (https://man7.org/linux/man-pages/man3/malloc_trim.3.html); musl has none, and needs none.
    private static unsafe void TrimHeap()
    {
        if (NativeLibrary.TryLoad("libc.so.6", out var library) && NativeLibrary.TryGetExport(library, "malloc_trim", out var trim))
            _ = ((delegate* unmanaged<nuint, int>)trim)(0);
    }
}
