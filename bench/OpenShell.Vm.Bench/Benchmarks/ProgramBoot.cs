using OpenShell.Vm.Bench.Measuring;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>A machine for one program, from the command to its exit code; and, in turn with it, the least that any machine could take.</summary>
internal sealed class ProgramBoot : IBenchmark
{
    private const string Bare = "bare QEMU, same kernel, init that only powers off";

    public string Name => "program";

    public string Title => "cold boot of 'gateway --exec /bin/true' to its exit, beside a bare QEMU";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        var runs = context.Runs ?? 10;
        var ours = new List<double>();
        var bare = new List<double>();
        // Once before, so that images are built and files are in memory for both.
        await GatewayAsync(context);
        var machine = await BareMachine.CreateAsync(context);
        await machine.BootAsync();
        for (var run = 1; run <= runs; run++)
        {
            ours.Add(await GatewayAsync(context));
            bare.Add(await machine.BootAsync());
            context.Say($"  {run} of {runs}: {ours[^1]:0.00} s, bare {bare[^1]:0.00} s");
        }

        yield return new Measurement { What = Bare, Samples = bare };
        yield return new Measurement { What = "gateway --exec /bin/true", Samples = ours, Budget = 4, Baseline = Bare };
    }

    private static async Task<double> GatewayAsync(BenchContext context) =>
        (await HostProgram.RunAsync(HostProgram.Gateway, ["--exec", "/bin/true"], TimeSpan.FromMinutes(45), context.Home.Environment)).Elapsed.TotalSeconds;
}
