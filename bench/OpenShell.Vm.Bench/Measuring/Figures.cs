using System.Globalization;

namespace OpenShell.Vm.Bench.Measuring;

/// <summary>Numbers as a person reads them.</summary>
internal static class Figures
{
    /// <summary>A value in its unit; a dash for none.</summary>
    public static string Show(Unit unit, double? value) => value is not { } number ? "-" : unit switch
    {
        Unit.Instructions => string.Create(CultureInfo.InvariantCulture, $"{number / 1e9:0.000} G"),
        Unit.Mebibytes => string.Create(CultureInfo.InvariantCulture, $"{number:0.0} MiB"),
        Unit.Throughput => string.Create(CultureInfo.InvariantCulture, $"{number:0.0} MiB/s"),
        Unit.PerSecond => string.Create(CultureInfo.InvariantCulture, $"{number:0.0} /s"),
        _ => Time(number),
    };

    /// <summary>One value as a multiple of another.</summary>
    public static string Ratio(double ratio) =>
        ratio < 0.1 ? string.Create(CultureInfo.InvariantCulture, $"{ratio:0.0000}x") : string.Create(CultureInfo.InvariantCulture, $"{ratio:0.00}x");

    /// <summary>Whether it is within its budget, and by how much; empty where it has none, or was not measured.</summary>
    public static string Budget(Measurement m) =>
        m is { Budget: { } limit, Result: { } result } ? $"{(result <= limit ? "within" : "OVER")} {Show(m.Unit, limit)} ({Ratio(result / limit)})" : "";

    /// <summary>
    /// Beside its peer; what is a peer itself beside the first that is compared with it, so that each row says what it is of another; <c>none</c> where there is no other. Of what was not measured: why.
    /// </summary>
    public static string Peer(Measurement m, IReadOnlyList<Measurement> all)
    {
        if (m.Median is not { } own)
            return $"not measured: {m.Missing}";
        var table = all.Where(other => other.Benchmark == m.Benchmark).ToList();
        if (table.Find(other => other.What == m.Baseline) is { Median: { } baseline } peer)
        {
            var judged = m.RatioBudget is { } limit ? $", {(own / baseline <= limit ? "within" : "OVER")} {Ratio(limit)}" : "";
            return $"{Ratio(own / baseline)} of '{peer.What}'{judged}";
        }

        return table.Find(other => other.Baseline == m.What && other.Median is not null) is { Median: { } first } compared ? $"{Ratio(own / first)} of '{compared.What}'" : "none";
    }

    private static string Time(double seconds) => seconds switch
    {
        < 1e-3 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e6:0.0} µs"),
        < 1 => string.Create(CultureInfo.InvariantCulture, $"{seconds * 1e3:0.0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.00} s"),
    };
}
