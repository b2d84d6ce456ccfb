using System.Diagnostics;
using System.Text.Json;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>iperf3 (https://software.es.net/iperf/invoking.html): Debian's own program at both ends. The guest does not have it; it is brought along with what it is linked to.</summary>
internal static class Iperf
{
    /// <summary>Where it listens in a guest; nobody else does.</summary>
    public const int GuestPort = 35202;

    private const string Program = "iperf3", InGuest = "/run/bench-iperf3", Loader = "ld-linux";
    private const int Seconds = 3, Tries = 5;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>Serves in a guest until it is disposed of.</summary>
    public static async Task<IGuestProcess> StartAsync(IGuestAgent agent)
    {
        var program = RuntimeTools.FindProgram(Program) ?? throw new BenchException($"{Program} is missing. 'gateway setup --with-tests' installs it.");
        var libraries = await LibrariesAsync(program);
        foreach (var file in libraries.Append(program))
        {
            await using var content = File.OpenRead(file);
            await agent.WriteFileAsync($"{InGuest}-{Path.GetFileName(file)}", content, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        // With its own loader: the guest's C library may be another. In a folder, since the loader finds libraries by their names.
        var names = string.Join(' ', libraries.Append(program).Select(Path.GetFileName));
        var loader = Path.GetFileName(libraries.First(file => file.Contains(Loader, StringComparison.Ordinal)));
        var script = $"mkdir -p {InGuest} && for name in {names}; do mv {InGuest}-$name {InGuest}/$name; done && exec {InGuest}/{loader} --library-path {InGuest} {InGuest}/{Program} -s -p {GuestPort} --forceflush";
        var process = await agent.ExecAsync(new ExecRequest { Program = "/bin/sh", Arguments = ["-c", script] });
        await ReadyAsync(new StreamReader(process.Stdout));
        return process;
    }

    /// <summary>Serves on the host; to be killed.</summary>
    public static async Task<Process> StartHereAsync(int port)
    {
        var process = Process.Start(new ProcessStartInfo(Program, ["-s", "-B", "127.0.0.1", "-p", $"{port}", "--forceflush"]) { RedirectStandardOutput = true })!;
        await ReadyAsync(process.StandardOutput);
        return process;
    }

    /// <summary>One measurement over a port of the host.</summary>
    /// <param name="port">Where it, or a forward to it, listens.</param>
    /// <param name="outOfTheGuest">The server sends; otherwise it takes.</param>
    /// <returns>MiB a second, as the receiver counted.</returns>
    public static async Task<double> MeasureAsync(int port, bool outOfTheGuest)
    {
        string[] arguments = ["-c", "127.0.0.1", "-p", $"{port}", "-t", $"{Seconds}", "-J", .. outOfTheGuest ? ["-R"] : Array.Empty<string>()];
        for (var tries = 1; ; tries++)
        {
            try
            {
                return Received((await HostProgram.RunAsync(Program, arguments, Limit)).Output);
            }
            catch (BenchException) when (tries < Tries)
            {
                // It serves one after the other, and a slow guest may not be done with the one before.
                await Task.Delay(TimeSpan.FromSeconds(1));
            }
        }
    }

    /// <summary>Reads what it prints.</summary>
    /// <exception cref="BenchException">It says why it could not measure.</exception>
    internal static double Received(string json)
    {
        using var result = JsonDocument.Parse(json);
        if (result.RootElement.TryGetProperty("error", out var error))
            throw new BenchException($"{Program}: {error.GetString()}.");
        return result.RootElement.GetProperty("end").GetProperty("sum_received").GetProperty("bits_per_second").GetDouble() / 8 / (1 << 20);
    }

    /// <summary>The files that <c>ldd</c> names: <c>libiperf.so.0 => /lib/x86_64-linux-gnu/libiperf.so.0 (0x…)</c>, and the loader, <c>/lib64/ld-linux-x86-64.so.2 (0x…)</c>.</summary>
    internal static IReadOnlyList<string> Files(string ldd) =>
    [
        .. ldd.Split('\n').Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).FirstOrDefault(word => word.StartsWith('/')))
            .OfType<string>(),
    ];

    private static async Task<IReadOnlyList<string>> LibrariesAsync(string program) => Files((await HostProgram.RunAsync("ldd", [program], Limit)).Output);

    private static async Task ReadyAsync(StreamReader output)
    {
        while (await output.ReadLineAsync().WaitAsync(Limit) is { } line)
        {
            if (line.StartsWith("Server listening", StringComparison.Ordinal))
            {
                // What it says of each test is not wanted, but must go somewhere.
                _ = output.BaseStream.CopyToAsync(Stream.Null);
                return;
            }
        }

        throw new BenchException($"{Program} did not begin to listen.");
    }
}
