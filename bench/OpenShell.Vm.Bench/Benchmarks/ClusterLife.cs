using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Bench.Measuring;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>A cluster from nothing to Ready, programs in it, its stop, and its next start.</summary>
internal sealed class ClusterLife : IBenchmark
{
    private const string Instance = "bench";

    public string Name => "cluster";

    public string Title => "'gateway up' to Ready on a new disk, 'exec' in it, 'stop', and 'up' again";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        var runs = context.Runs ?? 1;
        List<double> cold = [], stop = [], warm = [], library = [], command = [];
        for (var run = 1; run <= runs; run++)
        {
            cold.Add(await UpAsync(context));
            try
            {
                if (run == 1)
                {
                    context.Draw("a first start, from nothing", Instance);
                    Stages(context, await StatusAsync(context));
                    library.AddRange(await ExecCalls.LibraryAsync(context, Instance));
                    command.AddRange(await ExecCalls.CommandAsync(context, Instance));
                }
                stop.Add(await GatewayAsync(context, "stop"));
                warm.Add(await UpAsync(context));
            }
            finally
            {
                await GatewayAsync(context, "stop");
            }
            await GatewayAsync(context, "delete");
            context.Say(string.Create(CultureInfo.InvariantCulture, $"  {run} of {runs}: cold {cold[^1]:0.0} s, warm {warm[^1]:0.0} s"));
        }

        yield return new Measurement { What = "gateway up, new disk, to Ready", Samples = cold, Judged = Statistic.Worst, Budget = 75 };
        yield return new Measurement { What = "gateway up, disk from before, to Ready", Samples = warm, Baseline = "gateway up, new disk, to Ready" };
        yield return new Measurement { What = "gateway stop", Samples = stop };
        yield return new Measurement { What = "exec true, over the library", Samples = library, Budget = 0.060 };
        yield return new Measurement { What = "gateway exec -- true", Samples = command, Baseline = "exec true, over the library" };
    }

    // By the product's own clock: from the start of the instance to the gateway's answer. The command's own start comes to it, and an image build if there is one does not.
    private static async Task<double> UpAsync(BenchContext context)
    {
        var json = (await HostProgram.RunAsync(HostProgram.Gateway, ["up", "--detach", "--quiet", "--name", Instance, "--output", "json"], TimeSpan.FromMinutes(45), context.Home.Environment)).Output;
        using var status = JsonDocument.Parse(json);
        var image = status.RootElement.GetProperty("stages").EnumerateArray()
            .Where(stage => stage.GetProperty("stage").GetString() == Timeline.BootStages.Image)
            .Sum(stage => stage.TryGetProperty("seconds", out var seconds) ? seconds.GetDouble() : 0);
        return status.RootElement.GetProperty("readySeconds").GetDouble() - image;
    }

    private static async Task<double> GatewayAsync(BenchContext context, string command) =>
        (await HostProgram.RunAsync(HostProgram.Gateway, [command, "--quiet", "--name", Instance], TimeSpan.FromMinutes(2), context.Home.Environment)).Elapsed.TotalSeconds;

    private static async Task<JsonElement> StatusAsync(BenchContext context)
    {
        var json = (await HostProgram.RunAsync(HostProgram.Gateway, ["status", "--name", Instance, "--output", "json"], TimeSpan.FromMinutes(1), context.Home.Environment)).Output;
        using var status = JsonDocument.Parse(json);
        return status.RootElement.Clone();
    }

    // Where the time of the cold start goes.
    private static void Stages(BenchContext context, JsonElement status)
    {
        foreach (var stage in status.GetProperty("stages").EnumerateArray())
        {
            var seconds = stage.TryGetProperty("seconds", out var value) ? value.GetDouble() : 0;
            context.Say(string.Create(CultureInfo.InvariantCulture, $"  {stage.GetProperty("startSeconds").GetDouble(),7:0.00} +{seconds,6:0.00} s  {stage.GetProperty("stage").GetString()}"));
        }
    }
}
