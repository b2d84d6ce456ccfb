using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Bench.Measuring;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>A cluster from nothing to Ready, programs in it, its stop, and its next start.</summary>
internal sealed class ClusterLife : IBenchmark
{
    private const string Instance = "bench";
    private const int WarmUp = 20;
    private const int Calls = 300;
    private const int Commands = 40;

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
                    Stages(context, await StatusAsync(context));
                    library.AddRange(await LibraryAsync(context));
                    command.AddRange(await CommandAsync(context));
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

    // One connection, one program after the other: what an embedder of the library gets.
    private static async Task<List<double>> LibraryAsync(BenchContext context)
    {
        await using var agent = await new LocalInstances(new InstancesOptions { Directories = context.Home.Directories }).ConnectAsync(Instance);
        var samples = new List<double>();
        for (var call = -WarmUp; call < Calls; call++)
        {
            var clock = Stopwatch.StartNew();
            await using var process = await agent.ExecAsync(new ExecRequest { Program = "/bin/true" });
            var result = await process.Completion;
            if (result.ExitCode != 0)
                throw new BenchException($"true ended with {result.ExitCode} in the guest: {result.Error}");
            if (call >= 0)
                samples.Add(clock.Elapsed.TotalSeconds);
        }
        return samples;
    }

    private static async Task<List<double>> CommandAsync(BenchContext context)
    {
        var samples = new List<double>();
        for (var call = 0; call < Commands; call++)
            samples.Add((await HostProgram.RunAsync(HostProgram.Gateway, ["exec", "--name", Instance, "--", "true"], TimeSpan.FromMinutes(1), context.Home.Environment)).Elapsed.TotalSeconds);
        return samples;
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
