using System.Globalization;
using OpenShell.Vm.Bench.Measuring;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>
/// A first start of a cluster on a clock of instructions, stage by stage: with <c>-icount shift=0</c> each instruction of the guest takes a nanosecond of its time
/// (https://www.qemu.org/docs/master/devel/tcg-icount.html), on any host. What the guest waits for passes as on the host, and counts in the stage in which it waits; so all that was executed is told beside it.
/// </summary>
internal sealed class CountedStages : IBenchmark
{
    private const string Instance = "bench-counted", Qemu = "qemu-system-x86_64";

    private static readonly TimeSpan StartLimit = TimeSpan.FromMinutes(60), Limit = TimeSpan.FromMinutes(5);

    public string Name => "stages";

    public string Title => "guest instructions of a first start, stage by stage, on a clock of instructions (-icount) with one processor";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        var environment = await EnvironmentAsync(context);
        var stages = new Dictionary<string, List<double>>();
        var executed = new List<double>();
        var total = new List<double>();
        for (var run = 1; run <= (context.Runs ?? 1); run++)
        {
            try
            {
                await GatewayAsync(StartLimit, environment, "up", "--detach", "--quiet", "--name", Instance, "--hypervisor", "qemu", "--vcpus", "1", "--timeout", "60m");
                var events = TimelineFile.Read(InstanceFiles.For(context.Home.Directories, InstanceName.Parse(Instance)).Timeline);
                foreach (var (stage, instructions) in Of(events))
                {
                    if (!stages.TryGetValue(stage, out var samples))
                        stages.Add(stage, samples = []);
                    samples.Add(instructions);
                    context.Say(string.Create(CultureInfo.InvariantCulture, $"  {stage}: {instructions / 1e9:0.000} G"));
                }

                // proc_uptime(5): seconds since the boot, and those that the processor had nothing to do.
                var uptime = (await GatewayAsync(Limit, environment, "exec", "--name", Instance, "--", "cat", "/proc/uptime")).Split(' ', StringSplitOptions.TrimEntries).Select(word => double.Parse(word, CultureInfo.InvariantCulture)).ToArray();
                total.Add(uptime[0] * 1e9);
                executed.Add((uptime[0] - uptime[1]) * 1e9);
            }
            finally
            {
                await GatewayAsync(Limit, environment, "stop", "--force", "--name", Instance);
            }

            await GatewayAsync(Limit, environment, "delete", "--name", Instance);
        }

        const string All = "from power-on to Ready, waiting included";
        yield return new Measurement { What = All, Samples = total, Unit = Unit.Instructions };
        yield return new Measurement { What = "of that: executed", Samples = executed, Unit = Unit.Instructions, Baseline = All };
        foreach (var (stage, samples) in stages)
            yield return new Measurement { What = $"stage {stage}", Samples = samples, Unit = Unit.Instructions, Baseline = All };
    }

    /// <summary>By stage, in the order in which they began: nanoseconds of the guest's clock from the beginning of each to its end.</summary>
    internal static IReadOnlyList<(string Stage, double Instructions)> Of(IEnumerable<TimelineEvent> events)
    {
        var began = new Dictionary<string, TimeSpan>();
        var stages = new List<(string, double)>();
        foreach (var happened in events)
        {
            if (happened.GuestUptime is not { } uptime)
                continue;
            if (began.Count == 0)
                stages.Add((BootStages.Kernel, uptime.TotalNanoseconds));
            if (happened.State == StageState.Started)
                began[happened.Stage] = uptime;
            else if (happened.State == StageState.Completed && began.TryGetValue(happened.Stage, out var start))
                stages.Add((happened.Stage, (uptime - start).TotalNanoseconds));
            began.TryAdd(happened.Stage, uptime);
        }

        return stages;
    }

    /// <summary>In which QEMU counts: a script of its name comes first in PATH.</summary>
    private static async Task<IReadOnlyDictionary<string, string?>> EnvironmentAsync(BenchContext context)
    {
        var path = Environment.GetEnvironmentVariable("PATH")!;
        var qemu = RuntimeTools.FindProgram(Qemu) ?? throw new BenchException("QEMU is missing; see 'gateway doctor'.");
        var folder = context.Home.In("counting");
        var program = Path.Combine(folder, Qemu);
        await File.WriteAllTextAsync(program, $$"""
            #!/bin/bash
            # QEMU on a clock of instructions: it counts those of a machine, and of nothing else that is asked of it.
            words=()
            for word in "$@"; do words+=("${word/tcg,thread=multi/tcg,thread=single}"); done
            case " $* " in *" -kernel "*) words+=(-icount shift=0,sleep=on) ;; esac
            exec {{qemu}} "${words[@]}"

            """);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new Dictionary<string, string?>(context.Home.Environment) { ["PATH"] = $"{folder}:{path}" };
    }

    private static async Task<string> GatewayAsync(TimeSpan limit, IReadOnlyDictionary<string, string?> environment, params string[] words) =>
        (await HostProgram.RunAsync(HostProgram.Gateway, words, limit, environment)).Output;
}
