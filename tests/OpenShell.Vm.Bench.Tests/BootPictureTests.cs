using System.Globalization;
using System.Xml.Linq;
using OpenShell.Vm.Bench.Measuring;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Bench.Tests;

public sealed class BootPictureTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void A_timeline_has_the_stages_that_took_place()
    {
        var timeline = BootTimeline.Of("a start", [Event("kernel", StageState.Started, 1), Event("kernel", StageState.Completed, 4), Event("resume", StageState.Skipped, 1), Event("services", StageState.Started, 4)]);

        timeline.Stages.ShouldBe([new BootTimeline.Stage("kernel", 1, 3)]);
        timeline.Total.ShouldBe(4);
    }

    [Fact]
    public void It_is_read_from_an_instances_own_file()
    {
        var path = Path.GetTempFileName();
        try
        {
            // As an instance wrote it.
            File.WriteAllText(path, """
                {"stage":"host-probe","state":"started","at":"2026-01-01T00:00:00+00:00","elapsed":0.001}
                {"stage":"host-probe","state":"completed","at":"2026-01-01T00:00:00+00:00","elapsed":0.021,"detail":"tcg"}
                {"stage":"vmm","state":"star
                """);

            var stage = BootTimeline.Read("a start", path).Stages.ShouldHaveSingleItem();

            stage.Name.ShouldBe("host-probe");
            stage.Seconds.ShouldBe(0.020, 1e-6);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Each_stage_is_a_bar_where_it_began_and_as_long_as_it_took()
    {
        var bars = Bars(new BootTimeline("a start", [new("kernel", 0, 5), new("services", 5, 10), new("services/etcd", 5, 2.5)]));

        bars.Count.ShouldBe(3);
        bars[1].X.ShouldBe(bars[0].X + bars[0].Width, 0.2);
        bars[1].Width.ShouldBe(bars[0].Width * 2, 0.2);
        bars[2].X.ShouldBe(bars[1].X, 0.2);
        bars[2].Width.ShouldBe(bars[0].Width / 2, 0.2);
    }

    [Fact]
    public void Starts_stand_below_one_another_each_on_its_own_scale()
    {
        var document = XDocument.Parse(BootPicture.Svg([new BootTimeline("slow", [new("kernel", 0, 70)]), new BootTimeline("quick", [new("resume", 0, 0.3)])]));

        var bars = BarsOf(document);
        bars[0].Width.ShouldBe(bars[1].Width, 0.2);
        bars[1].Y.ShouldBeGreaterThan(bars[0].Y);
        Texts(document).ShouldContain("slow: 70.0 s");
        Texts(document).ShouldContain("quick: 300 ms");
    }

    [Fact]
    public void Words_of_others_are_text_and_not_markup()
    {
        var document = XDocument.Parse(BootPicture.Svg([new BootTimeline("<script>", [new("a&b", 0, 1)])]));

        document.Descendants(Svg + "script").ShouldBeEmpty();
        Texts(document).ShouldContain("a&b");
    }

    [Fact]
    public void A_start_without_stages_is_a_picture_too() => XDocument.Parse(BootPicture.Svg([new BootTimeline("nothing", [])])).Root!.Name.ShouldBe(Svg + "svg");

    [Theory]
    [InlineData(0.35, 0.05)]
    [InlineData(1, 0.1)]
    [InlineData(72, 10)]
    [InlineData(150, 20)]
    public void Ticks_are_round_and_ten_at_most(double total, double step) => BootPicture.StepFor(total).ShouldBe(step, step * 1e-9);

    private static List<(double X, double Y, double Width)> Bars(BootTimeline timeline) => BarsOf(XDocument.Parse(BootPicture.Svg([timeline])));

    // The first is the background.
    private static List<(double X, double Y, double Width)> BarsOf(XDocument document) =>
        [.. document.Descendants(Svg + "rect").Skip(1).Select(rect => (Number(rect, "x"), Number(rect, "y"), Number(rect, "width")))];

    private static IEnumerable<string> Texts(XDocument document) => document.Descendants(Svg + "text").Select(text => text.Value);

    private static double Number(XElement element, string name) => double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    private static TimelineEvent Event(string stage, StageState state, double seconds) =>
        new() { Stage = stage, State = state, At = DateTimeOffset.UnixEpoch, Elapsed = TimeSpan.FromSeconds(seconds) };
}
