using Spectre.Console;
using Spectre.Console.Rendering;

namespace OpenShell.Gateway.Cli.Rendering.Progress;

/// <summary>The steps seen so far, and their picture. Not safe for concurrent use.</summary>
internal sealed class StepBoard(TimeProvider time, bool unicode)
{
    private static readonly string[] Spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
    private static readonly string[] AsciiSpinner = ["|", "/", "-", "\\"];

    private readonly List<Row> _rows = [];
    private int _frame;

    /// <summary>Takes in a change of a step.</summary>
    public void Apply(Step step)
    {
        var at = _rows.FindIndex(r => r.Step.Id == step.Id);
        if (at >= 0)
            _rows[at] = _rows[at] with { Step = step };
        else
            _rows.Add(new Row(step, time.GetTimestamp()));
    }

    /// <summary>The picture of this moment: every step, and the parts of those that are not done.</summary>
    public IRenderable Render()
    {
        _frame++;
        var grid = new Grid().AddColumn(Column()).AddColumn(Column()).AddColumn(Column().RightAligned()).AddColumn(Column());
        foreach (var row in _rows.Where(r => !r.Step.IsPart))
        {
            Add(grid, row, "");
            if (row.Step.State is StepState.Running or StepState.Failed)
            {
                foreach (var part in _rows.Where(r => r.Step.IsPart && r.Step.Id.StartsWith(row.Step.Id + "/", StringComparison.Ordinal)))
                    Add(grid, part, "  ");
            }
        }

        return grid;
    }

    private static GridColumn Column() => new GridColumn().NoWrap().PadLeft(0).PadRight(2);

    private void Add(Grid grid, Row row, string indent)
    {
        var step = row.Step;
        var (sign, color) = step.State switch
        {
            StepState.Running => (unicode ? Spinner[_frame % Spinner.Length] : AsciiSpinner[_frame % AsciiSpinner.Length], Color.Aqua),
            StepState.Done => (unicode ? "✓" : "+", Color.Green),
            StepState.Skipped => ("-", Color.Grey),
            _ => (unicode ? "✗" : "x", Color.Red),
        };
        var took = step.Took ?? time.GetElapsedTime(row.Began);
        var detail = string.Join("  ", new[] { step.State == StepState.Running && step.Share is { } share ? Units.Share(share) : null, step.Detail?.ReplaceLineEndings(" ") }.OfType<string>());
        grid.AddRow(
            new Text(indent + sign, color),
            new Text(indent + step.Title),
            new Text(step.State == StepState.Skipped ? "" : Units.Time(took), Color.Grey),
            new Text(detail, Color.Grey) { Overflow = Overflow.Ellipsis });
    }

    private sealed record Row(Step Step, long Began);
}
