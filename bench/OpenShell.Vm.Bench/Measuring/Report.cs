namespace OpenShell.Vm.Bench.Measuring;

/// <summary>Numbers and ratios as a table, with the machine that they are from.</summary>
internal static class Report
{
    public static void Write(TextWriter writer, Results results)
    {
        foreach (var (name, value) in results.Machine.Facts)
            writer.WriteLine($"{name + ":",-14}{value}");
        writer.WriteLine();
        var all = results.Measurements;
        var width = all.Select(m => m.What.Length).Append(12).Max();
        writer.WriteLine($"{"what".PadRight(width)}  {"runs",5} {"best",11} {"p50",11} {"p90",11} {"p99",11} {"worst",11}   {"budget",-24} beside");
        foreach (var m in all)
        {
            string Show(double? value) => Figures.Show(m.Unit, value);
            writer.WriteLine($"{m.What.PadRight(width)}  {m.Samples.Count,5} {Show(m.Best),11} {Show(m.Median),11} {Show(m.P90),11} {Show(m.P99),11} {Show(m.Worst),11}   {Figures.Budget(m),-24} {Figures.Peer(m, all)}".TrimEnd());
        }
    }
}
