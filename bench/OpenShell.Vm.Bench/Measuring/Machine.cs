using System.Globalization;
using System.Runtime.InteropServices;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Bench.Measuring;

/// <summary>The machine that numbers come from: without it they say nothing.</summary>
internal sealed record Machine(IReadOnlyList<Machine.Fact> Facts)
{
    /// <summary>Something about it.</summary>
    public sealed record Fact(string Name, string Value);

    public static async Task<Machine> DescribeAsync(BenchContext context)
    {
        var plan = await context.Instances.PlanAsync(new InstanceConfig { Name = "bench" });
        return new Machine(
        [
            new("processor", Line("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString()),
            new("cores", $"{plan.Host.Cores}"),
            new("memory", $"{plan.Host.MemoryMib} MiB"),
            new("system", RuntimeInformation.OSDescription),
            new("QEMU", plan.Host.QemuVersion?.ToString() ?? "none"),
            new("accelerator", $"{plan.Plan.Accelerator.ToString().ToUpperInvariant()} ({plan.Host.Accelerators.FirstOrDefault(fact => fact.Accelerator == plan.Plan.Accelerator)?.Reason})"),
            new("load before", File.Exists("/proc/loadavg") ? (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0] : "unknown"),
            new("date", DateTimeOffset.UtcNow.ToString("u", CultureInfo.InvariantCulture)),
        ]);
    }

    private static string? Line(string file, string key) =>
        File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() : null;
}
