using System.Globalization;
using OpenShell.Vm.Bench.Measuring;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>A new instance that begins as a copy of a golden image, as a user sees it; in turn with the least that a copy can take.</summary>
internal sealed class ResumeStart : IBenchmark
{
    private const int Times = 20;
    private const string Instance = "bench-resume";
    private const string Bare = "bare copy: disk, gvproxy, QEMU, load, the agent's first answer";

    public string Name => "resume";

    public string Title => "a new instance of a golden image, from the command's start until the gateway has answered over mTLS, beside a bare QEMU with gvproxy that loads the same image";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        var golden = await GoldenCopy.BakeAsync(context);
        List<double> command = [], own = [], bare = [];
        var runs = context.Runs ?? Times;

        // Once before, so that programs and image are in memory for both.
        for (var run = 0; run <= runs; run++)
        {
            await using (var least = await BareCopy.StartAsync(context, golden))
            {
                if (run > 0)
                    bare.Add(least.Seconds);
            }

            await using var cluster = new BenchCluster(context, Instance, golden: true);
            var (status, seconds) = await cluster.UpTimedAsync();
            if (run == 0)
                continue;
            command.Add(seconds);
            own.Add(status.GetProperty("readySeconds").GetDouble());
            if (run == 1)
                context.Draw("a new instance, a copy of a golden image", Instance);
            context.Say(string.Create(CultureInfo.InvariantCulture, $"  {run} of {runs}: {command[^1]:0.000} s, of them {own[^1]:0.000} from the supervisor's start; bare {bare[^1]:0.000} s"));
        }

        foreach (var row in Rows(bare, command, own))
            yield return row;
    }

    /// <summary>What was measured, with what is promised of it.</summary>
    internal static IReadOnlyList<Measurement> Rows(IReadOnlyList<double> bare, IReadOnlyList<double> command, IReadOnlyList<double> own) =>
    [
        new() { What = Bare, Samples = bare, Budget = 0.30 },
        new() { What = "gateway up --detach, a copy of a golden image", Samples = command, Baseline = Bare, Budget = 0.45 },
        new() { What = "the same, from the instance's start to Ready", Samples = own, Baseline = Bare },
    ];
}
