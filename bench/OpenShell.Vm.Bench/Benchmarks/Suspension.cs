using System.Globalization;
using OpenShell.Vm.Bench.Measuring;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>An instance is saved with its memory, and goes on from it.</summary>
internal sealed class Suspension : IBenchmark
{
    private const int Times = 5;
    private const string Instance = "bench-suspend";
    private const string Whole = "the machine's memory";
    private const string Fresh = "the same instance's first start, a copy of a golden image";

    public string Name => "suspend";

    public string Title => "'gateway suspend', the size of the memory that it saves, and 'gateway up' from there";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        await GoldenCopy.BakeAsync(context);
        List<double> first = [], suspend = [], size = [], whole = [], resume = [];
        var runs = context.Runs ?? Times;
        var files = InstanceFiles.For(context.Home.Directories, InstanceName.Parse(Instance));
        for (var run = 1; run <= runs; run++)
        {
            await using var cluster = new BenchCluster(context, Instance, golden: true);
            var (status, seconds) = await cluster.UpTimedAsync();
            first.Add(seconds);
            suspend.Add(await cluster.SuspendAsync());
            size.Add(Directory.EnumerateFiles(files.Snapshot).Sum(HostFiles.AllocatedBytes) / (double)(1 << 20));
            whole.Add(status.GetProperty("memoryMib").GetDouble());
            resume.Add((await cluster.UpTimedAsync()).Seconds);
            if (run == 1)
                context.Draw("a suspended instance goes on", Instance);
            context.Say(string.Create(CultureInfo.InvariantCulture, $"  {run} of {runs}: saved in {suspend[^1]:0.00} s, {size[^1]:0} MiB; goes on after {resume[^1]:0.00} s"));
        }

        yield return new Measurement { What = "gateway suspend", Samples = suspend, Budget = 3 };
        yield return new Measurement { What = Whole, Samples = whole, Unit = Unit.Mebibytes };
        yield return new Measurement { What = "what is saved of it", Samples = size, Unit = Unit.Mebibytes, Baseline = Whole };
        yield return new Measurement { What = Fresh, Samples = first };
        yield return new Measurement { What = "gateway up --detach, of a suspended instance", Samples = resume, Baseline = Fresh };
    }
}
