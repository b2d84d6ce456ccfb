using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Bench.Measuring;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>A start on a disk from before, beside the first of the same disk: what is there already is not to be done again.</summary>
internal sealed class WarmBoot : IBenchmark
{
    private const int WarmStarts = 3;
    private const string ColdStart = "gateway up, new disk";

    public string Name => "warm";

    public string Title => "'gateway up' on a disk from before, beside the first start on the same disk, stage by stage";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        List<double> cold = [], warm = [];
        for (var run = 1; run <= (context.Runs ?? 1); run++)
        {
            await using var cluster = new BenchCluster(context, "bench-warm");
            var first = await cluster.UpAsync();
            cold.Add(BenchCluster.SecondsToReady(first));
            context.Say(string.Create(CultureInfo.InvariantCulture, $"  cold {run}: {cold[^1]:0.0} s"));
            for (var start = 1; start <= WarmStarts; start++)
            {
                await cluster.StopAsync();
                var again = await cluster.UpAsync();
                warm.Add(BenchCluster.SecondsToReady(again));
                context.Say(string.Create(CultureInfo.InvariantCulture, $"  warm {start} of {WarmStarts}: {warm[^1]:0.0} s"));
                if (run == 1 && start == WarmStarts)
                    Compare(context, first, again);
            }
        }

        foreach (var row in Rows(cold, warm))
            yield return row;
    }

    /// <summary>What was measured, with what is promised of it.</summary>
    internal static IReadOnlyList<Measurement> Rows(IReadOnlyList<double> cold, IReadOnlyList<double> warm) =>
    [
        new() { What = ColdStart, Samples = cold },
        new() { What = "gateway up, disk from before", Samples = warm, Baseline = ColdStart, RatioBudget = 0.8 },
    ];

    // Where the time went, and what was not done again.
    private static void Compare(BenchContext context, JsonElement first, JsonElement again)
    {
        var before = BenchCluster.Stages(first).ToDictionary(BenchCluster.Name);
        context.Say($"  {"stage",-34} {"cold",8} {"warm",8}  warm is");
        foreach (var stage in BenchCluster.Stages(again))
        {
            var name = BenchCluster.Name(stage);
            var detail = stage.TryGetProperty("detail", out var text) ? ": " + text.GetString() : "";
            context.Say($"  {name,-34} {Seconds(before.GetValueOrDefault(name)),8} {Seconds(stage),8}  {stage.GetProperty("state").GetString()}{detail}");
        }
    }

    private static string Seconds(JsonElement stage) =>
        stage.ValueKind == JsonValueKind.Object && BenchCluster.Seconds(stage) is { } seconds ? seconds.ToString("0.00", CultureInfo.InvariantCulture) : "-";
}
