using System.Text;

namespace OpenShell.Vm.Bench.Measuring;

/// <summary><c>docs/performance.md</c>, made of a run: its numbers are never typed. Pure.</summary>
internal static class PerformancePage
{
    /// <summary>The page.</summary>
    /// <param name="results">Of a run.</param>
    /// <param name="benchmarks">Name and title of each benchmark, in their order.</param>
    /// <param name="picture">Path of the picture of the starts, relative to the page; <see langword="null"/>: there is none.</param>
    public static string Markdown(Results results, IReadOnlyList<(string Name, string Title)> benchmarks, string? picture)
    {
        var page = new StringBuilder("""
            # Performance

            Written by `bench/run --write docs/performance.md` ([what is measured, and how](../bench/README.md)). Every figure is from this machine, each table from one run:

            | | |
            | --- | --- |

            """);
        foreach (var fact in results.Machine.Facts)
            Line(page, $"| {fact.Name} | {Cell(fact.Value)} |");
        page.Append("""

            *Beside* is what the median is of the median of a peer that was measured with it; in the row of a peer, what that is of the first that is compared with it. *none* says that there is no peer. A budget is what is promised on the
            development machine.

            """);

        if (picture is not null)
        {
            Line(page, $"\n## Where the time of a start goes\n");
            Line(page, $"![Stages of starts]({picture})");
        }

        foreach (var (name, title) in benchmarks)
        {
            var rows = results.Measurements.Where(m => m.Benchmark == name).ToList();
            if (rows.Count > 0)
                Section(page, name, title, rows, results.Measurements);
        }

        return page.ToString();
    }

    private static void Section(StringBuilder page, string name, string title, IEnumerable<Measurement> rows, IReadOnlyList<Measurement> all)
    {
        Line(page, $"\n## {char.ToUpperInvariant(name[0])}{name[1..]}\n");
        Line(page, $"{char.ToUpperInvariant(title[0])}{title[1..]}.\n");
        Line(page, $"| | runs | median | p90 | p99 | worst | beside | budget |");
        Line(page, $"| --- | --: | --: | --: | --: | --: | --- | --- |");
        foreach (var m in rows)
        {
            string Show(double? value) => Figures.Show(m.Unit, value);
            Line(page, $"| {Cell(m.What)} | {m.Samples.Count} | {Show(m.Median)} | {Show(m.P90)} | {Show(m.P99)} | {Show(m.Worst)} | {Cell(Figures.Peer(m, all))} | {Figures.Budget(m)} |");
        }
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static void Line(StringBuilder page, string text) => page.Append(text).Append('\n');
}
