using OpenShell.Vm.Bench.Measuring;
using OpenShell.Vm.Kernels;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>Our own kernel, which mounts the root itself, beside Debian's with its initramfs: in seconds, and in instructions, which are the same on every machine.</summary>
internal sealed class KernelBoot : IBenchmark
{
    private const int Counted = 3;

    public string Name => "kernel";

    public string Title => "'gateway --exec /bin/true' on our own kernel, beside Debian's with its initramfs";

    public async IAsyncEnumerable<Measurement> RunAsync(BenchContext context)
    {
        string[] kernels = [KernelNames.Debian, KernelNames.Custom];
        var seconds = kernels.ToDictionary(k => k, _ => new List<double>());
        var instructions = kernels.ToDictionary(k => k, _ => new List<double>());

        // Once before: builds what is missing, our kernel too, and has the files in memory.
        foreach (var kernel in kernels)
            await GatewayAsync(context, kernel);
        var runs = context.Runs ?? 10;
        for (var run = 1; run <= runs; run++)
        {
            foreach (var kernel in kernels)
                seconds[kernel].Add(await GatewayAsync(context, kernel));
            context.Say($"  {run} of {runs}: Debian's {seconds[KernelNames.Debian][^1]:0.00} s, ours {seconds[KernelNames.Custom][^1]:0.00} s");
        }

        for (var run = 1; run <= Counted; run++)
        {
            foreach (var kernel in kernels)
                instructions[kernel].Add(await CountedMachine.InstructionsAsync(context, kernel));
            context.Say($"  counted {run} of {Counted}: Debian's {instructions[KernelNames.Debian][^1]:0}, ours {instructions[KernelNames.Custom][^1]:0} instructions");
        }

        foreach (var kernel in kernels)
            yield return new Measurement { What = $"--kernel {kernel} --exec /bin/true", Samples = seconds[kernel], Baseline = kernel == KernelNames.Debian ? null : $"--kernel {KernelNames.Debian} --exec /bin/true" };
        foreach (var kernel in kernels)
            yield return new Measurement { What = $"--kernel {kernel}, instructions to PID 1's first word", Samples = instructions[kernel], Unit = Unit.Instructions, Baseline = kernel == KernelNames.Debian ? null : $"--kernel {KernelNames.Debian}, instructions to PID 1's first word" };
    }

    private static async Task<double> GatewayAsync(BenchContext context, string kernel) =>
        (await HostProgram.RunAsync(HostProgram.Gateway, ["--kernel", kernel, "--exec", "/bin/true"], TimeSpan.FromMinutes(60), context.Home.Environment)).Elapsed.TotalSeconds;
}
