using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Bench.Measuring;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>etcd and the API server from nothing to <c>/readyz</c> in the guest of a first start, beside the same two programs on the host itself: what the machine around them costs.</summary>
internal sealed class ControlPlane : IBenchmark
{
    private const string OnHost = "etcd and kube-apiserver on the host, to /readyz";
    private const string Etcd = "services/etcd", ApiServer = "services/kube-apiserver";

    public string Name => "control-plane";

    public string Title => "etcd and kube-apiserver from nothing to /readyz in the guest of a first start, beside the same programs on the host without a machine";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        List<double> inGuest = [], onHost = [];
        for (var run = 1; run <= (context.Runs ?? 1); run++)
        {
            await using var cluster = new BenchCluster(context, "bench-plane");
            inGuest.Add(Span(await cluster.UpAsync()));
            context.Say(string.Create(CultureInfo.InvariantCulture, $"  in the guest {run}: {inGuest[^1]:0.0} s"));
        }

        var programs = await HostControlPlane.CreateAsync(context);
        for (var run = 0; run <= (context.Runs ?? 5); run++)
        {
            var seconds = await programs.RunAsync();
            if (run == 0)
                continue;
            onHost.Add(seconds);
            context.Say(string.Create(CultureInfo.InvariantCulture, $"  on the host {run}: {seconds:0.0} s"));
        }

        yield return new Measurement { What = OnHost, Samples = onHost };
        yield return new Measurement { What = "the same in the guest, from the first's start to the last's health", Samples = inGuest, Baseline = OnHost };
    }

    private static double Span(JsonElement status)
    {
        var stages = BenchCluster.Stages(status).Where(stage => BenchCluster.Name(stage) is Etcd or ApiServer).ToArray();
        if (stages.Length < 2 || stages.Any(stage => BenchCluster.Seconds(stage) is null))
            throw new BenchException($"The cluster's timeline has no {Etcd} and {ApiServer}: it is not upstream's distribution.");
        double Start(JsonElement stage) => stage.GetProperty("startSeconds").GetDouble();
        return stages.Max(stage => Start(stage) + BenchCluster.Seconds(stage)!.Value) - stages.Min(Start);
    }
}
