using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenShell.Vm.Bench.Measuring;

/// <summary>Numbers and ratios, with the machine that they are from.</summary>
internal static class Report
{
    public static void Write(TextWriter writer, Machine machine, IReadOnlyList<Measurement> measurements)
    {
        foreach (var (name, value) in machine.Facts)
            writer.WriteLine($"{name + ":",-14}{value}");
        writer.WriteLine();
        var width = measurements.Select(m => m.What.Length).Append(12).Max();
        writer.WriteLine($"{"what".PadRight(width)}  {"runs",5} {"best",9} {"p50",9} {"p99",9} {"worst",9}   {"budget",-22} ratio");
        foreach (var m in measurements)
        {
            var budget = m.Budget is { } limit ? $"{(m.Result <= limit ? "within" : "OVER")} {Show(m, limit)} ({Ratio(m.Result / limit)})" : "";
            var baseline = measurements.FirstOrDefault(other => other.What == m.Baseline);
            var ratio = baseline is null ? "" : $"{Ratio(m.Median / baseline.Median)} of '{baseline.What}'{Judged(m, baseline)}";
            writer.WriteLine($"{m.What.PadRight(width)}  {m.Samples.Count,5} {Show(m, m.Best),9} {Show(m, m.Median),9} {Show(m, m.Percentile(99)),9} {Show(m, m.Worst),9}   {budget,-22} {ratio}".TrimEnd());
        }
    }

    public static string Json(Machine machine, IReadOnlyList<Measurement> measurements) => new JsonObject
    {
        ["machine"] = new JsonObject([.. machine.Facts.Select(fact => KeyValuePair.Create(fact.Name, (JsonNode?)fact.Value))]),
        ["measurements"] = new JsonArray([.. measurements.Select(m => (JsonNode)new JsonObject
        {
            ["what"] = m.What,
            ["budget"] = m.Budget,
            ["baseline"] = m.Baseline,
            ["ratioBudget"] = m.RatioBudget,
            ["unit"] = m.Unit.ToString().ToLowerInvariant(),
            ["median"] = m.Median,
            ["p99"] = m.Percentile(99),
            ["samples"] = new JsonArray([.. m.Samples.Select(s => (JsonNode)s)]),
        })]),
    }.ToJsonString(new JsonSerializerOptions { WriteIndented = true });

    private static string Judged(Measurement measurement, Measurement baseline) => measurement.RatioBudget is { } limit
        ? $", {(measurement.Median / baseline.Median <= limit ? "within" : "OVER")} {Ratio(limit)}"
        : "";

    private static string Show(Measurement measurement, double value) => measurement.Unit switch
    {
        Unit.Instructions => string.Create(CultureInfo.InvariantCulture, $"{value / 1e9:0.000} G"),
        Unit.Mebibytes => string.Create(CultureInfo.InvariantCulture, $"{value:0.0} MiB"),
        _ => Time(value),
    };

    private static string Time(double seconds) =>
        seconds < 1 ? string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0.0} ms") : string.Create(CultureInfo.InvariantCulture, $"{seconds:0.00} s");

    private static string Ratio(double ratio) => string.Create(CultureInfo.InvariantCulture, $"{ratio:0.00}x");
}
