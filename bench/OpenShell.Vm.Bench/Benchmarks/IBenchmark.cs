using OpenShell.Vm.Bench.Measuring;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>Something worth measuring: one file, and one line in the catalogue.</summary>
internal interface IBenchmark
{
    /// <summary>The name on the command line.</summary>
    string Name { get; }

    /// <summary>What it measures, in a line.</summary>
    string Title { get; }

    /// <summary>Measures.</summary>
    /// <exception cref="BenchException">It cannot go on.</exception>
    IAsyncEnumerable<Measurement> RunAsync(BenchContext context);
}

/// <summary>All of them, in the order in which they are run.</summary>
internal static class BenchmarkCatalog
{
    public static IReadOnlyList<IBenchmark> All { get; } =
    [
        new ProgramBoot(), new FirstWord(), new KernelBoot(), new ClusterLife(), new ControlPlane(), new WarmBoot(), new CountedStages(), new ResumeStart(), new Clones(), new Suspension(), new Traffic(), new CommandCost(),
    ];
}
