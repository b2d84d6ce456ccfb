using System.Globalization;
using OpenShell.Vm.Guest.Native;

namespace OpenShell.Vm.Guest.Watching;

/// <summary>Makes memory free without ending anything, so that little of it is to be saved.</summary>
/// <param name="proc">Where procfs is: in a guest <c>/proc</c>, in tests a folder.</param>
internal sealed class MemoryReclaim(string proc)
{
    /// <summary>Of this guest.</summary>
    public static MemoryReclaim Guest { get; } = new("/proc");

    /// <summary>Gives up what can be read again, and brings what is left together: https://www.kernel.org/doc/html/latest/admin-guide/sysctl/vm.html</summary>
    /// <returns>What did not succeed.</returns>
    public IReadOnlyList<string> Run()
    {
        // This process's own first: what it gives back may be all that keeps a page from being free.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        _ = Linux.TrimHeap(0);
        // 3: page cache, directory entries and inodes. Files that programs have mapped and use stay.
        string?[] problems = [Set("drop_caches", "3"), Set("compact_memory", "1")];
        return [.. problems.OfType<string>()];
    }

    /// <summary>Bytes of memory, and of those that are not used for anything.</summary>
    public (long Total, long Free) Measure()
    {
        var lines = File.ReadAllLines(Path.Combine(proc, "meminfo"));
        return (Bytes(lines, "MemTotal:"), Bytes(lines, "MemFree:"));
    }

    private static long Bytes(string[] lines, string name)
    {
        // "MemFree:         1234 kB", proc_meminfo(5)
        var line = lines.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        return line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, var kib, ..] && long.TryParse(kib, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value << 10 : 0;
    }

    private string? Set(string name, string value)
    {
        try
        {
            File.WriteAllText(Path.Combine(proc, "sys/vm", name), value);
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // A kernel without CONFIG_COMPACTION has no compact_memory.
            return $"{name} was not done: {exception.Message}";
        }
    }
}
