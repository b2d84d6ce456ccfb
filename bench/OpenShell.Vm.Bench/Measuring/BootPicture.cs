using System.Globalization;
using System.Security;
using System.Text;

namespace OpenShell.Vm.Bench.Measuring;

/// <summary>Starts as pictures: a bar for each stage, each start on a scale of its own. SVG 1.1, without fonts or scripts of its own. Pure.</summary>
internal static class BootPicture
{
    // In pixels.
    private const int Width = 900, Left = 220, Right = 90, Row = 20, Bar = 13, Head = 34, Axis = 26, Gap = 18;

    // Of ticks on the axis at most.
    private const int Ticks = 10;

    /// <summary>Draws them, one below the other.</summary>
    public static string Svg(IReadOnlyList<BootTimeline> timelines)
    {
        var height = timelines.Sum(HeightOf);
        var svg = new StringBuilder();
        Line(svg, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{height}" viewBox="0 0 {Width} {height}" font-family="sans-serif" font-size="12">""");
        Line(svg, $"""<rect width="{Width}" height="{height}" fill="#ffffff"/>""");
        var top = 0;
        foreach (var timeline in timelines)
        {
            Draw(svg, timeline, top);
            top += HeightOf(timeline);
        }

        svg.Append("</svg>\n");
        return svg.ToString();
    }

    private static int HeightOf(BootTimeline timeline) => Head + (timeline.Stages.Count * Row) + Axis + Gap;

    private static void Draw(StringBuilder svg, BootTimeline timeline, int top)
    {
        var total = timeline.Total;
        var scale = total > 0 ? (Width - Left - Right) / total : 0;
        var bottom = top + Head + (timeline.Stages.Count * Row);
        Line(svg, $"""<text x="12" y="{top + 22}" font-size="14" font-weight="bold" fill="#222222">{Escape(timeline.Title)}: {Time(total)}</text>""");
        for (var tick = 0.0; tick <= total && total > 0; tick += StepFor(total))
        {
            var x = Left + (tick * scale);
            Line(svg, $"""<line x1="{x:0.#}" y1="{top + Head}" x2="{x:0.#}" y2="{bottom}" stroke="#dddddd"/>""");
            Line(svg, $"""<text x="{x:0.#}" y="{bottom + 15}" text-anchor="middle" fill="#666666" font-size="11">{Time(tick)}</text>""");
        }

        for (var i = 0; i < timeline.Stages.Count; i++)
        {
            var stage = timeline.Stages[i];
            var y = top + Head + (i * Row);
            var x = Left + (stage.Start * scale);

            // What took no time is seen all the same.
            var width = Math.Max(1, stage.Seconds * scale);
            Line(svg, $"""<text x="{Left - 8}" y="{y + 13}" text-anchor="end" fill="{(stage.IsPart ? "#777777" : "#222222")}">{Escape(stage.Name)}</text>""");
            Line(svg, $"""<rect x="{x:0.#}" y="{y + 3}" width="{width:0.#}" height="{Bar}" fill="{(stage.IsPart ? "#9ec5e8" : "#2f6fab")}"/>""");
            Line(svg, $"""<text x="{x + width + 5:0.#}" y="{y + 13}" fill="#444444" font-size="11">{Time(stage.Seconds)}</text>""");
        }
    }

    private static readonly int[] Factors = [1, 2, 5, 10];

    /// <summary>1, 2 or 5 times a power of ten, so that there are ten ticks at most.</summary>
    internal static double StepFor(double total)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(total / Ticks)));
        return Factors.Select(factor => factor * power).First(step => total / step <= Ticks);
    }

    private static string Time(double seconds) => seconds < 1
        ? string.Create(CultureInfo.InvariantCulture, $"{seconds * 1000:0} ms")
        : string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s");

    private static string Escape(string text) => SecurityElement.Escape(text);

    private static void Line(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
