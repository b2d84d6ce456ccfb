using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Bench.Measuring;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>Several new instances of one golden image at one instant, and what each of them takes of memory.</summary>
internal sealed class Clones : IBenchmark
{
    private const int Times = 5;
    private const int Many = 8;
    private const string One = "one copy, until it has answered";
    private const string OneMemory = "memory of one copy alone: VM, gvproxy, supervisor";

    public string Name => "clone";

    public string Title => "one and eight new instances of a golden image at one instant, until all have answered, and the memory of each (PSS)";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        await GoldenCopy.BakeAsync(context);
        var runs = context.Runs ?? Times;
        List<double> one = [], many = [];
        List<Size> alone = [], each = [];
        for (var run = 0; run <= runs; run++)
        {
            var single = await StartAsync(context, 1);
            var eight = await StartAsync(context, Many);
            if (run == 0)
                continue;
            one.Add(single.Seconds);
            alone.AddRange(single.Sizes);
            many.Add(eight.Seconds);
            each.AddRange(eight.Sizes);
            context.Say(string.Create(CultureInfo.InvariantCulture, $"  {run} of {runs}: one {one[^1]:0.00} s and {alone[^1].Total:0} MiB; eight {many[^1]:0.00} s and {eight.Sizes.Sum(size => size.Total):0} MiB together"));
        }

        foreach (var row in Rows(one, many, alone, each))
            yield return row;
    }

    /// <summary>What was measured, with what is promised of it.</summary>
    internal static IReadOnlyList<Measurement> Rows(IReadOnlyList<double> one, IReadOnlyList<double> many, IReadOnlyList<Size> alone, IReadOnlyList<Size> each)
    {
        Measurement Memory(string what, Func<Size, double> part) => new() { What = what, Samples = [.. each.Select(part)], Unit = Unit.Mebibytes };
        return
        [
            new() { What = One, Samples = one },
            new() { What = "eight copies at once, until all have answered", Samples = many, Baseline = One, Budget = 4 },
            new() { What = OneMemory, Samples = [.. alone.Select(size => size.Total)], Unit = Unit.Mebibytes },
            Memory("memory of each of eight copies", size => size.Total) with { Baseline = OneMemory, Budget = 130 },
            Memory("of that: the VM", size => size.Vm),
            Memory("of that: gvproxy", size => size.Network),
            Memory("of that: the supervisor", size => size.Supervisor),
        ];
    }

    private static async Task<(double Seconds, IReadOnlyList<Size> Sizes)> StartAsync(BenchContext context, int count)
    {
        var clusters = Enumerable.Range(1, count).Select(i => new BenchCluster(context, $"bench-clone-{i}", golden: true)).ToArray();
        try
        {
            var clock = Stopwatch.StartNew();
            var statuses = await Task.WhenAll(clusters.Select(cluster => cluster.UpAsync()));
            var seconds = clock.Elapsed.TotalSeconds;

            // All are looked at while all run: what they share counts a part for each.
            return (seconds, [.. statuses.Select(Measure)]);
        }
        finally
        {
            foreach (var cluster in clusters)
                await cluster.DisposeAsync();
        }
    }

    private static Size Measure(JsonElement status)
    {
        double Of(string role) => ProcessMemory.Mebibytes(BenchCluster.Pid(status, role), ProcessMemory.Proportional);
        return new Size(Of(Roles.Vmm), Of(Roles.Gvproxy), Of(Roles.Supervisor));
    }

    /// <summary>Proportional shares of one instance's processes, in MiB.</summary>
    internal sealed record Size(double Vm, double Network, double Supervisor)
    {
        public double Total => Vm + Network + Supervisor;
    }
}
