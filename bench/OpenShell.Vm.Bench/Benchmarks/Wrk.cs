using System.Globalization;

namespace OpenShell.Vm.Bench.Benchmarks;

/// <summary>wrk (https://github.com/wg/wrk) against the server of <c>traffic.c</c>, which answers HTTP as well: requests on connections that stay open.</summary>
internal static class Wrk
{
    private const int Connections = 4, Seconds = 3;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    /// <summary>One measurement over a port of the host.</summary>
    /// <returns>Requests a second; and seconds that half of the requests took at most.</returns>
    public static async Task<(double PerSecond, double Median)> MeasureAsync(int port) =>
        Read((await HostProgram.RunAsync("wrk", ["-t1", $"-c{Connections}", $"-d{Seconds}s", "--latency", $"http://127.0.0.1:{port}/"], Limit)).Output);

    /// <summary>Reads what it prints: <c>Requests/sec:   1234.56</c>, and below <c>Latency Distribution</c> <c>50%  1.23ms</c>.</summary>
    /// <exception cref="BenchException">It had errors, or says something else.</exception>
    internal static (double PerSecond, double Median) Read(string output)
    {
        var lines = output.Split('\n', StringSplitOptions.TrimEntries);
        if (lines.FirstOrDefault(line => line.StartsWith("Socket errors:", StringComparison.Ordinal) || line.StartsWith("Non-2xx", StringComparison.Ordinal)) is { } errors)
            throw new BenchException($"wrk: {errors}");
        return (Number(Value("Requests/sec:")), Time(Value("50%")));

        string Value(string label) => lines.FirstOrDefault(line => line.StartsWith(label, StringComparison.Ordinal))?[label.Length..].Trim() ?? throw new BenchException($"wrk says nothing of '{label}': {output}");
    }

    private static double Time(string text) =>
        text.EndsWith("us", StringComparison.Ordinal) ? Number(text[..^2]) / 1e6
        : text.EndsWith("ms", StringComparison.Ordinal) ? Number(text[..^2]) / 1e3
        : Number(text[..^1]);

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
