using System.Diagnostics;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary><c>/bin/true</c> in a machine that runs, from the call to its end.</summary>
internal static class ExecCalls
{
    private const int WarmUp = 20;
    private const int Calls = 300;
    private const int Commands = 40;

    /// <summary>One connection of the library, one program after the other: what an embedder gets.</summary>
    public static async Task<List<double>> LibraryAsync(BenchContext context, string instance)
    {
        await using var agent = await context.Instances.ConnectAsync(instance);
        return await AgentAsync(agent);
    }

    /// <summary>The same over a connection that is there.</summary>
    public static async Task<List<double>> AgentAsync(IGuestAgent agent)
    {
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

    /// <summary>By the command, each time anew.</summary>
    public static async Task<List<double>> CommandAsync(BenchContext context, string instance)
    {
        var samples = new List<double>();
        for (var call = 0; call < Commands; call++)
            samples.Add((await HostProgram.RunAsync(HostProgram.Gateway, ["exec", "--name", instance, "--", "true"], TimeSpan.FromMinutes(1), context.Home.Environment)).Elapsed.TotalSeconds);
        return samples;
    }
}
