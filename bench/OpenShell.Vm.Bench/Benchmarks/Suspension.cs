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

        foreach (var row in Rows(suspend, whole, size, first, resume))
            yield return row;
    }

    /// <summary>What was measured, with what is promised of it.</summary>
    internal static IReadOnlyList<Measurement> Rows(
        IReadOnlyList<double> suspend, IReadOnlyList<double> whole, IReadOnlyList<double> size, IReadOnlyList<double> first, IReadOnlyList<double> resume) =>
    [
        new() { What = "gateway suspend", Samples = suspend, Budget = 3 },
        new() { What = Whole, Samples = whole, Unit = Unit.Mebibytes },
        new() { What = "what is saved of it", Samples = size, Unit = Unit.Mebibytes, Baseline = Whole },
        new() { What = Fresh, Samples = first },
        new() { What = "gateway up --detach, of a suspended instance", Samples = resume, Baseline = Fresh },
    ];
}
