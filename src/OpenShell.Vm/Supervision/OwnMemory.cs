using System.Globalization;

namespace OpenShell.Vm.Supervision;

/// <summary>What a process has of memory for itself, which it shares with no file: of a machine over a golden image's memory all that it has written to since, and some of QEMU's own.</summary>
internal static class OwnMemory
{
    /// <summary>In bytes; <see langword="null"/> where that cannot be known.</summary>
    internal static long? Of(int pid)
    {
        try
        {
            return In(File.ReadAllLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/smaps_rollup")));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>By <c>/proc/PID/smaps_rollup</c> (https://docs.kernel.org/filesystems/proc.html): lines such as <c>Anonymous:   30120 kB</c>. Pure.</summary>
    internal static long? In(IEnumerable<string> lines)
    {
        string[] names = ["Anonymous:", "Swap:"];
        var found = lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(words => words is [var name, _, "kB"] && names.Contains(name)).ToList();
        return found.Count == 0 ? null : found.Sum(words => long.Parse(words[1], CultureInfo.InvariantCulture)) << 10;
    }
}
