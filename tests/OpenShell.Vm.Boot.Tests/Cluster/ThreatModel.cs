namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>Tables of docs/threat-model.md, so that what it says and what tests find cannot differ.</summary>
internal static class ThreatModel
{
    /// <summary>A table, by the comment that stands before it: <c>&lt;!-- table: NAME --&gt;</c>. Emphasis and code marks are taken away.</summary>
    /// <returns>Rows by their first cell, each with its cells by the heading of their column.</returns>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Table(string name)
    {
        var lines = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "threat-model.md"));
        var at = Array.IndexOf(lines, $"<!-- table: {name} -->");
        at.ShouldBeGreaterThanOrEqualTo(0, $"docs/threat-model.md has no table '{name}'");
        var table = lines.Skip(at + 1).SkipWhile(line => line.Length == 0).TakeWhile(line => line.StartsWith('|')).Select(Cells).ToList();
        table.Count.ShouldBeGreaterThan(2);
        var headings = table[0];
        return table.Skip(2).ToDictionary(
            row => row[0],
            IReadOnlyDictionary<string, string> (row) => headings.Zip(row).Skip(1).ToDictionary(cell => cell.First, cell => cell.Second));
    }

    private static string[] Cells(string line) =>
        [.. line.Trim().Trim('|').Split('|').Select(cell => cell.Replace("**", "", StringComparison.Ordinal).Replace("`", "", StringComparison.Ordinal).Trim())];
}
