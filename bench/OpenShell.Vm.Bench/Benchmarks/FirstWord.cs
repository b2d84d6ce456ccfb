using System.Diagnostics;
using System.Globalization;
using OpenShell.Vm.Bench.Measuring;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;
using Machine = OpenShell.Vm.Supervision.Machine;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>A boot until PID 1 has said its first word: through the library, and a bare QEMU with the same kernel, initramfs, disks and arguments.</summary>
internal sealed class FirstWord : IBenchmark
{
    private const int Times = 10;
    private const string Bare = "bare QEMU, same kernel and initramfs, to PID 1's first word";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public string Name => "kernel-stage";

    public string Title => "a boot until PID 1 has said its first word, through the library, beside a bare QEMU with the same arguments";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        List<double> ours = [], fromPower = [], bare = [];
        var runs = context.Runs ?? Times;
        for (var run = 0; run <= runs; run++)
        {
            var (all, power) = await LibraryAsync(context);
            var least = await BareAsync(context);
            if (run == 0)
                continue;
            ours.Add(all);
            fromPower.Add(power);
            bare.Add(least);
            context.Say(string.Create(CultureInfo.InvariantCulture, $"  {run} of {runs}: {all:0.00} s, of them {power:0.00} from power-on; bare {least:0.00} s"));
        }

        yield return new Measurement { What = Bare, Samples = bare };
        yield return new Measurement { What = "the library, from its call to PID 1's first word", Samples = ours, Baseline = Bare };
        yield return new Measurement { What = "of that: from power-on", Samples = fromPower, Baseline = Bare };
    }

    private static InstanceConfig Config { get; } = new() { Name = "first-word", Mode = GuestMode.Exec, Network = "none", Hypervisor = "qemu", Exec = new ExecRequest { Program = "/bin/true" } };

    private static async Task<(double All, double FromPower)> LibraryAsync(BenchContext context)
    {
        var progress = new KernelDone();
        await using var running = await context.Instances.RunAsync(Config, progress);
        var (power, word) = await progress.Task.WaitAsync(Limit);
        await running.Completion;
        return (word.TotalSeconds, (word - power).TotalSeconds);
    }

    private static async Task<double> BareAsync(BenchContext context)
    {
        var plan = await context.PlanAsync("first-word", config => config with { Hypervisor = "qemu" });
        var folder = Directory.CreateDirectory(Path.GetDirectoryName(plan.Plan.AgentSocket)!);
        using var limit = new CancellationTokenSource(Limit);
        var clock = Stopwatch.StartNew();
        await using (var machine = new Machine(plan.Processes[^1], plan.Plan))
        {
            var first = new FirstReport();
            await using var agent = await GuestAgent.ConnectAsync(plan.Plan.AgentSocket, CountedMachine.Configuration, first, limit.Token);
            await first.Task.WaitAsync(limit.Token);
            clock.Stop();
        }

        folder.Delete(recursive: true);
        return clock.Elapsed.TotalSeconds;
    }

    /// <summary>When the machine was powered on, and when its first process spoke, since the start.</summary>
    private sealed class KernelDone() : TaskCompletionSource<(TimeSpan Power, TimeSpan Word)>(TaskCreationOptions.RunContinuationsAsynchronously), IProgress<TimelineEvent>
    {
        private TimeSpan _power;

        public void Report(TimelineEvent value)
        {
            if (value is { Stage: BootStages.Vmm, State: StageState.Started })
                _power = value.Elapsed;
            if (value is { Stage: BootStages.Kernel, State: StageState.Completed })
                TrySetResult((_power, value.Elapsed));
        }
    }
}
