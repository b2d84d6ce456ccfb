using System.Globalization;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>What a process takes.</summary>
internal static class ProcessMemory
{
    /// <summary>Its own pages, and of each that it shares its part.</summary>
    public const string Proportional = "Pss:";

    /// <summary>The figure of that name in https://docs.kernel.org/filesystems/proc.html, smaps_rollup.</summary>
    public static double Mebibytes(int pid, string what)
    {
        var line = File.ReadLines($"/proc/{pid}/smaps_rollup").First(line => line.StartsWith(what, StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }
}
