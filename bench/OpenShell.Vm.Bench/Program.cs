using OpenShell.Vm.Bench;
using OpenShell.Vm.Bench.Benchmarks;
using OpenShell.Vm.Bench.Measuring;

// This program itself, where HostCluster has it.
if (args is [HostCluster.Inside, var root, var what])
    return await HostClusterInside.MainAsync(root, what);

BenchOptions options;
Results? earlier;
try
{
    options = BenchOptions.Parse(args, BenchmarkCatalog.All.Select(benchmark => benchmark.Name));

    // Now, and not after an hour of measuring.
    earlier = options.Earlier is { } file ? Results.Read(file) : null;
}
catch (BenchException problem)
{
    Console.Error.WriteLine($"bench: {problem.Message}");
    return 2;
}

if (options.List)
{
    foreach (var benchmark in BenchmarkCatalog.All)
        Console.WriteLine($"{benchmark.Name,-14} {benchmark.Title}");
    return 0;
}

using var home = new BenchHome();
var context = new BenchContext(home, options.Runs, line => Console.Error.WriteLine(line));
var machine = await Machine.DescribeAsync(context);
var measurements = new List<Measurement>();
var failed = false;
foreach (var benchmark in BenchmarkCatalog.All.Where(benchmark => options.Wants(benchmark.Name)))
{
    context.Say($"{benchmark.Name}: {benchmark.Title}");
    try
    {
        await foreach (var measurement in benchmark.RunAsync(context))
            measurements.Add(measurement with { Benchmark = benchmark.Name });
    }
    catch (Exception problem) when (problem is BenchException or OpenShell.Vm.Faults.FaultException)
    {
        // The others are still worth their numbers.
        context.Say($"{benchmark.Name} failed: {problem.Message}");
        failed = true;
    }
}

var results = new Results(machine, measurements, context.Timelines);
if (earlier is not null)
    results = results.With(earlier);
Report.Write(Console.Out, results);
if (options.Json is { } json)
    await File.WriteAllTextAsync(json, results.ToJson());
if (options.Svg is { } svg)
    await File.WriteAllTextAsync(svg, BootPicture.Svg(results.Timelines));
if (options.Page is { } page)
{
    var picture = results.Timelines.Count > 0 ? Path.ChangeExtension(page, ".svg") : null;
    if (picture is not null)
        await File.WriteAllTextAsync(picture, BootPicture.Svg(results.Timelines));
    await File.WriteAllTextAsync(page, PerformancePage.Markdown(results, [.. BenchmarkCatalog.All.Select(b => (b.Name, b.Title))], Path.GetFileName(picture)));
}

return failed ? 1 : 0;
