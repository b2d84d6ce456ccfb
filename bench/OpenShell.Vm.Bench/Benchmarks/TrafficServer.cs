using System.Diagnostics;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>The other end of what is measured over a forwarded port: a small static program (<c>traffic.c</c>), the same in each guest and on the host.</summary>
internal static class TrafficServer
{
    /// <summary>Where it listens in a guest; nobody else does.</summary>
    public const int GuestPort = 35201;

    private const string InGuest = "/run/bench-traffic";
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>Compiles it.</summary>
    /// <returns>The program's path.</returns>
    public static async Task<string> BuildAsync(BenchContext context)
    {
        var program = Path.Combine(context.Home.In("traffic"), "traffic");
        if (!File.Exists(program))
            await HostProgram.RunAsync("gcc", ["-O2", "-static", "-o", program, Path.Combine(AppContext.BaseDirectory, "Benchmarks", "traffic.c")], Limit);
        return program;
    }

    /// <summary>Runs it in a guest until it is disposed of.</summary>
    public static async Task<IGuestProcess> StartAsync(IGuestAgent agent, string program)
    {
        await using (var file = File.OpenRead(program))
            await agent.WriteFileAsync(InGuest, file, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var process = await agent.ExecAsync(new ExecRequest { Program = InGuest, Arguments = [$"{GuestPort}"] });
        await ReadyAsync(process.Stdout);
        return process;
    }

    /// <summary>Runs it on the host; to be killed.</summary>
    public static async Task<Process> StartHereAsync(string program, int port)
    {
        var process = Process.Start(new ProcessStartInfo(program, [$"{port}"]) { RedirectStandardOutput = true })!;
        await ReadyAsync(process.StandardOutput.BaseStream);
        return process;
    }

    private static async Task ReadyAsync(Stream output)
    {
        var said = new byte[6];
        if (await output.ReadAtLeastAsync(said, said.Length, throwOnEndOfStream: false).AsTask().WaitAsync(Limit) < said.Length)
            throw new BenchException("The server of the benchmark did not begin to listen.");
    }
}
