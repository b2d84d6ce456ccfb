using System.Globalization;
using OpenShell.Vm.Bench;
using OpenShell.Vm.Bench.Benchmarks;
using OpenShell.Vm.Bench.Measuring;

int? runs = null;
string? json = null;
var names = new List<string>();
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--list":
            foreach (var benchmark in BenchmarkCatalog.All)
                Console.WriteLine($"{benchmark.Name,-10} {benchmark.Title}");
            return 0;
        case "--runs" when i + 1 < args.Length && int.TryParse(args[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out var given) && given > 0:
            runs = given;
            i++;
            break;
        case "--json" when i + 1 < args.Length:
            json = args[++i];
            break;
        case var name when BenchmarkCatalog.All.Any(benchmark => benchmark.Name == name):
            names.Add(name);
            break;
        default:
            Console.Error.WriteLine($"bench: '{args[i]}' is not understood. Usage: bench/run [--list] [--runs N] [--json FILE] [NAME...]");
            return 2;
    }
}

using var home = new BenchHome();
var context = new BenchContext(home, runs, line => Console.Error.WriteLine(line));
var machine = await Machine.DescribeAsync(context);
var measurements = new List<Measurement>();
var failed = false;
foreach (var benchmark in BenchmarkCatalog.All.Where(benchmark => names.Count == 0 || names.Contains(benchmark.Name)))
{
    context.Say($"{benchmark.Name}: {benchmark.Title}");
    try
    {
        await foreach (var measurement in benchmark.RunAsync(context))
            measurements.Add(measurement);
    }
    catch (BenchException problem)
    {
        // The others are still worth their numbers.
        context.Say($"{benchmark.Name} failed: {problem.Message}");
        failed = true;
    }
}

Report.Write(Console.Out, machine, measurements);
if (json is not null)
    await File.WriteAllTextAsync(json, Report.Json(machine, measurements));
return failed ? 1 : 0;
