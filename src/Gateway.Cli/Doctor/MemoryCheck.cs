using System.Globalization;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Doctor;

/// <summary>Memory that a cluster can have.</summary>
internal sealed class MemoryCheck : IHostCheck
{
    // A cluster's default, and what QEMU and gvproxy need beside it.
    private const long Wanted = 4_500_000_000;

    public string Name => "memory";

    public Task<IReadOnlyList<CheckResult>> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        // Counts a container's limit too.
        var total = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return Task.FromResult<IReadOnlyList<CheckResult>>([Judge(total, Available(), Name)]);
    }

    /// <summary>By the numbers alone.</summary>
    internal static CheckResult Judge(long total, long? available, string name)
    {
        const string Less = "A cluster is given 4 GiB unless told otherwise; give it less: gateway up --mem 2g";
        var finding = $"{Units.Size(total)} in all{(available is { } free ? $", {Units.Size(free)} available" : "")}";
        if (total >> 20 < InstanceValidator.MinClusterMemoryMib)
            return new CheckResult(name, CheckState.Failed, finding, string.Create(CultureInfo.InvariantCulture, $"A cluster needs {InstanceValidator.MinClusterMemoryMib} MiB at least; this machine, or this process's limit, has less. 'gateway --exec' needs {InstanceValidator.MinExecMemoryMib}."));
        return total < Wanted || available < Wanted
            ? new CheckResult(name, CheckState.Warning, finding, Less + (total < Wanted ? "" : ", or end something that uses it"))
            : new CheckResult(name, CheckState.Ok, finding);
    }

    // What could be used without swapping: https://man7.org/linux/man-pages/man5/proc_meminfo.5.html.
    private static long? Available()
    {
        try
        {
            return File.ReadLines("/proc/meminfo").FirstOrDefault(l => l.StartsWith("MemAvailable:", StringComparison.Ordinal)) is { } line
                && long.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], NumberStyles.None, CultureInfo.InvariantCulture, out var kib)
                ? kib << 10
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
