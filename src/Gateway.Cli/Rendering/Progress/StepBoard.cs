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

    /// <summary>The picture of this moment: every step, and the parts of those that are not done. A line is cut, never wrapped.</summary>
    /// <param name="columns">The terminal's width.</param>
    public IRenderable Render(int columns)
    {
        _frame++;
        var shown = _rows.Where(IsShown).ToList();
        // Rows of nothing have no shape for a live display (Spectre.Console 0.49 throws), and the first frame may come before the first step.
        if (shown.Count == 0)
            return Text.Empty;
        var titles = shown.Select(r => Title(r.Step).Length + Indent(r.Step).Length).Max();
        return new Rows([.. shown.Select(row => Line(row, titles, columns))]);
    }

    // The parts of a step that is done say nothing that the step does not.
    private bool IsShown(Row row) =>
        !row.Step.IsPart || _rows.Any(r => !r.Step.IsPart && row.Step.Id.StartsWith(r.Step.Id + "/", StringComparison.Ordinal) && r.Step.State is StepState.Running or StepState.Failed);

    private static string Indent(Step step) => step.IsPart ? "  " : "";

    // A part stands under its step; it need not say it again.
    private static string Title(Step step) => step.IsPart ? step.Title[(step.Title.LastIndexOf('/') + 1)..] : step.Title;

    private Paragraph Line(Row row, int titles, int columns)
    {
        var step = row.Step;
        var (sign, color) = step.State switch
        {
            StepState.Running => (unicode ? Spinner[_frame % Spinner.Length] : AsciiSpinner[_frame % AsciiSpinner.Length], Color.Aqua),
            StepState.Done => (unicode ? "✓" : "+", Color.Green),
            StepState.Skipped => ("-", Color.Grey),
            _ => (unicode ? "✗" : "x", Color.Red),
        };
        var took = step.State == StepState.Skipped ? "" : Units.Time(step.Took ?? time.GetElapsedTime(row.Began));
        var share = step.State == StepState.Running && step.Share is { } done ? Units.Share(done) + "  " : "";

        // Written so that even the last column stays empty: some terminals wrap when it is filled.
        var head = $"{Indent(step)}{sign} ";
        var title = Title(step).PadRight(titles - Indent(step).Length);
        var rest = $"{title}  {took,9}  {share}{step.Detail?.ReplaceLineEndings(" ")}".TrimEnd();
        var room = Math.Max(0, columns - 1 - head.Length);
        if (rest.Length > room)
            rest = room == 0 ? "" : string.Concat(rest.AsSpan(0, room - 1), unicode ? "…" : ">");
        var detailAt = Math.Min(rest.Length, title.Length);
        return new Paragraph().Append(head, color).Append(rest[..detailAt]).Append(rest[detailAt..], Color.Grey);
    }

    private sealed record Row(Step Step, long Began);
}
