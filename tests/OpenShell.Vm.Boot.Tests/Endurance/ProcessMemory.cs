using System.Globalization;

namespace OpenShell.Vm.Boot.Tests.Endurance;

/// <summary>What a process has in memory (https://docs.kernel.org/filesystems/proc.html, smaps_rollup).</summary>
/// <param name="ProportionalBytes">Its own pages, and of each that it shares its part.</param>
/// <param name="ResidentBytes">All that are there.</param>
/// <param name="AnonymousBytes">Those that are of no file.</param>
internal sealed record ProcessMemory(long ProportionalBytes, long ResidentBytes, long AnonymousBytes)
{
    public static ProcessMemory Of(int pid)
    {
        var lines = File.ReadAllLines($"/proc/{pid}/smaps_rollup");
        return new ProcessMemory(Bytes("Pss:"), Bytes("Rss:"), Bytes("Anonymous:"));

        long Bytes(string name) =>
            long.Parse(lines.First(line => line.StartsWith(name, StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{ProportionalBytes / 1048576.0:0.0} MiB (resident {ResidentBytes / 1048576.0:0.0}, anonymous {AnonymousBytes / 1048576.0:0.0})");
}
