namespace OpenShell.Gateway.Cli.Rendering;

/// <summary>Columns aligned by blanks: it reads well, and <c>awk</c> and <c>cut</c> take it. Never wraps, never colours.</summary>
internal sealed class TextTable(params string[] headings)
{
    private const string Gap = "   ";
    private readonly List<string[]> _rows = [headings];

    /// <summary>Adds a row; <see langword="null"/> is an empty cell.</summary>
    public void Add(params string?[] cells) => _rows.Add([.. cells.Select(c => (c ?? "").ReplaceLineEndings(" "))]);

    /// <summary>Writes headings and rows.</summary>
    public void Write(TextWriter writer, string indent = "")
    {
        var widths = Enumerable.Range(0, headings.Length).Select(i => _rows.Max(r => r[i].Length)).ToArray();
        foreach (var row in _rows)
            writer.WriteLine((indent + string.Join(Gap, row.Select((cell, i) => cell.PadRight(widths[i])))).TrimEnd());
    }
}
