using System.Globalization;

namespace OpenShell.Vm.Bench.Measuring;

/// <summary>Numbers as a person reads them.</summary>
internal static class Figures
{
    /// <summary>A value in its unit.</summary>
    public static string Show(Unit unit, double value) => unit switch
    {
        Unit.Instructions => string.Create(CultureInfo.InvariantCulture, $"{value / 1e9:0.000} G"),
        Unit.Mebibytes => string.Create(CultureInfo.InvariantCulture, $"{value:0.0} MiB"),
        Unit.Throughput => string.Create(CultureInfo.InvariantCulture, $"{value:0.0} MiB/s"),
        Unit.PerSecond => string.Create(CultureInfo.InvariantCulture, $"{value:0.0} /s"),
        _ => Time(value),
    };

    /// <summary>One value as a multiple of another.</summary>
    public static string Ratio(double ratio) => string.Create(CultureInfo.InvariantCulture, $"{ratio:0.00}x");

    /// <summary>Whether it is within its budget, and by how much; empty where it has none.</summary>
    public static string Budget(Measurement m) =>
        m.Budget is { } limit ? $"{(m.Result <= limit ? "within" : "OVER")} {Show(m.Unit, limit)} ({Ratio(m.Result / limit)})" : "";

    /// <summary>Beside its peer; <c>none</c> where it has none; empty for what is a peer itself.</summary>
    public static string Peer(Measurement m, IReadOnlyList<Measurement> all)
    {
        if (all.FirstOrDefault(other => other.What == m.Baseline) is { } peer)
        {
            var judged = m.RatioBudget is { } limit ? $", {(m.Median / peer.Median <= limit ? "within" : "OVER")} {Ratio(limit)}" : "";
            return $"{Ratio(m.Median / peer.Median)} of '{peer.What}'{judged}";
        }

        return all.Any(other => other.Baseline == m.What) ? "" : "none";
    }

    private static string Time(double seconds) =>
        seconds < 1 ? string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0.0} ms") : string.Create(CultureInfo.InvariantCulture, $"{seconds:0.00} s");
}
