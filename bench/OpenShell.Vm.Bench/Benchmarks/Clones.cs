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
        List<double> one = [], many = [], alone = [], vm = [], network = [], supervisor = [], each = [];
        for (var run = 0; run <= runs; run++)
        {
            var single = await StartAsync(context, 1);
            var eight = await StartAsync(context, Many);
            if (run == 0)
                continue;
            one.Add(single.Seconds);
            alone.AddRange(single.Sizes.Select(size => size.Total));
            many.Add(eight.Seconds);
            vm.AddRange(eight.Sizes.Select(size => size.Vm));
            network.AddRange(eight.Sizes.Select(size => size.Network));
            supervisor.AddRange(eight.Sizes.Select(size => size.Supervisor));
            each.AddRange(eight.Sizes.Select(size => size.Total));
            context.Say(string.Create(CultureInfo.InvariantCulture, $"  {run} of {runs}: one {one[^1]:0.00} s and {alone[^1]:0} MiB; eight {many[^1]:0.00} s and {eight.Sizes.Sum(size => size.Total):0} MiB together"));
        }

        yield return new Measurement { What = One, Samples = one };
        yield return new Measurement { What = "eight copies at once, until all have answered", Samples = many, Baseline = One, Budget = 4 };
        yield return new Measurement { What = OneMemory, Samples = alone, Unit = Unit.Mebibytes };
        yield return new Measurement { What = "memory of each of eight copies", Samples = each, Unit = Unit.Mebibytes, Baseline = OneMemory, Budget = 130 };
        yield return new Measurement { What = "of that: the VM", Samples = vm, Unit = Unit.Mebibytes };
        yield return new Measurement { What = "of that: gvproxy", Samples = network, Unit = Unit.Mebibytes };
        yield return new Measurement { What = "of that: the supervisor", Samples = supervisor, Unit = Unit.Mebibytes };
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
    private sealed record Size(double Vm, double Network, double Supervisor)
    {
        public double Total => Vm + Network + Supervisor;
    }
}
