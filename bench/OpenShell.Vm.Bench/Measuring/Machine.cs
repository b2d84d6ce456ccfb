using System.Globalization;
using System.Runtime.InteropServices;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Bench.Measuring;

/// <summary>The machine that numbers come from: without it they say nothing.</summary>
internal sealed record Machine(IReadOnlyList<(string Name, string Value)> Facts)
{
    public static async Task<Machine> DescribeAsync(BenchContext context)
    {
        var plan = await new LocalInstances(new InstancesOptions { Directories = context.Home.Directories, KvmProbeCommand = [HostProgram.Gateway, "__kvm-probe"] })
            .PlanAsync(new InstanceConfig { Name = "bench" });
        return new Machine(
        [
            ("processor", Line("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString()),
            ("cores", $"{plan.Host.Cores}"),
            ("memory", $"{plan.Host.MemoryMib} MiB"),
            ("system", RuntimeInformation.OSDescription),
            ("QEMU", plan.Host.QemuVersion?.ToString() ?? "none"),
            ("accelerator", $"{plan.Plan.Accelerator.ToString().ToUpperInvariant()} ({plan.Host.Accelerators.FirstOrDefault(fact => fact.Accelerator == plan.Plan.Accelerator)?.Reason})"),
            ("load before", File.Exists("/proc/loadavg") ? (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0] : "unknown"),
            ("date", DateTimeOffset.UtcNow.ToString("u", CultureInfo.InvariantCulture)),
        ]);
    }

    private static string? Line(string file, string key) =>
        File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?.Split(':', 2)[1].Trim() : null;
}
