using OpenShell.Vm.Bench.Measuring;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>A machine for one program, from the command to its exit code; and, in turn with it, the least that any machine could take.</summary>
internal sealed class ProgramBoot : IBenchmark
{
    private const string Bare = "bare QEMU, same kernel, init that only powers off";

    public string Name => "program";

    public string Title => "cold boot of 'gateway --exec /bin/true' to its exit, beside a bare QEMU and virtme-ng";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        var runs = context.Runs ?? 10;
        List<double> ours = [], bare = [], theirs = [];

        // Once before, so that images are built and files are in memory for both.
        await GatewayAsync(context);
        var machine = await BareMachine.CreateAsync(context);
        await machine.BootAsync();
        var (virtme, without) = await VirtmeAsync(context);
        for (var run = 1; run <= runs; run++)
        {
            ours.Add(await GatewayAsync(context));
            bare.Add(await machine.BootAsync());
            if (virtme is not null)
                theirs.Add(await virtme.BootAsync());
            context.Say($"  {run} of {runs}: {ours[^1]:0.00} s, bare {bare[^1]:0.00} s{(virtme is null ? "" : $", virtme-ng {theirs[^1]:0.00} s")}");
        }

        foreach (var row in Rows(bare, ours, theirs, without))
            yield return row;
    }

    /// <summary>What was measured, with what is promised of it.</summary>
    internal static IReadOnlyList<Measurement> Rows(IReadOnlyList<double> bare, IReadOnlyList<double> ours, IReadOnlyList<double> theirs, string? without) =>
    [
        new() { What = Bare, Samples = bare },
        new() { What = "gateway --exec /bin/true", Samples = ours, Budget = 4, Baseline = Bare },
        new() { What = "virtme-ng, same kernel, true", Samples = theirs, Missing = without, Baseline = Bare },
    ];

    // Once before, as the others; where it is missing or does not boot this kernel, the rest is still worth its numbers.
    private static async Task<(VirtmeNg? Virtme, string? Without)> VirtmeAsync(BenchContext context)
    {
        try
        {
            var virtme = await VirtmeNg.CreateAsync(context);
            await virtme.BootAsync();
            return (virtme, null);
        }
        catch (BenchException problem)
        {
            var why = problem.Message.ReplaceLineEndings(" ").Trim();
            context.Say($"  virtme-ng: {why}");
            return (null, why);
        }
    }

    private static async Task<double> GatewayAsync(BenchContext context) =>
        (await HostProgram.RunAsync(HostProgram.Gateway, ["--exec", "/bin/true"], TimeSpan.FromMinutes(45), context.Home.Environment)).Elapsed.TotalSeconds;
}
