using System.Diagnostics;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>
/// The product's own machine for one program, on a clock of instructions: with <c>-icount shift=0</c> each instruction of the guest takes one nanosecond of its time
/// (https://www.qemu.org/docs/master/devel/tcg-icount.html), whatever the host does meanwhile. What the guest waits for without working counts as well, and is next to nothing here.
/// </summary>
internal static class CountedMachine
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    /// <summary>From power-on to the first word of the guest's first process.</summary>
    /// <returns>Instructions.</returns>
    public static async Task<double> InstructionsAsync(BenchContext context, string kernel)
    {
        var plan = await context.PlanAsync("counted", config => config with { Vcpus = 1, Hypervisor = "qemu", Kernel = kernel });
        Directory.CreateDirectory(Path.GetDirectoryName(plan.Plan.AgentSocket)!);
        var qemu = plan.Processes[^1];
        var arguments = qemu.Arguments.ToArray();
        arguments[Array.IndexOf(arguments, "-accel") + 1] = "tcg,thread=single";
        using var process = Process.Start(new ProcessStartInfo(qemu.Program, [.. arguments, "-icount", "shift=0,sleep=off"]))!;
        try
        {
            var first = new FirstReport();
            using var limit = new CancellationTokenSource(Limit);
            await using var agent = await GuestAgent.ConnectAsync(plan.Plan.AgentSocket, Configuration, first, limit.Token);
            return (await first.Task.WaitAsync(limit.Token)).UptimeNanoseconds;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    /// <summary>What the guest is told to do.</summary>
    public static GuestConfig Configuration { get; } = new()
    {
        Mode = GuestMode.Exec,
        Hostname = "counted",
        HostTimeUnixNanoseconds = 0,
        Entropy = new byte[64],
        Exec = new ExecRequest { Program = "/bin/true" },
    };
}

/// <summary>The first that a guest reports.</summary>
internal sealed class FirstReport : TaskCompletionSource<StageReport>, IProgress<StageReport>
{
    public void Report(StageReport value) => TrySetResult(value);
}
