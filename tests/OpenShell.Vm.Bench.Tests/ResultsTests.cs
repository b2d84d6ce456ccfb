using OpenShell.Vm.Bench.Measuring;

namespace OpenShell.Vm.Bench.Tests;

public sealed class ResultsTests : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    private static Results Example { get; } = new(
        new Machine([new("processor", "One | two"), new("cores", "2")]),
        [
            new Measurement { Benchmark = "resume", What = "bare", Samples = [0.1, 0.2] },
            new Measurement { Benchmark = "resume", What = "ours", Samples = [0.3, 0.4], Baseline = "bare", Budget = 1, RatioBudget = 3.5 },
            new Measurement { Benchmark = "clone", What = "memory", Samples = [80], Unit = Unit.Mebibytes, Judged = Statistic.Worst },
        ],
        [new BootTimeline("a start", [new("kernel", 0.5, 3)])]);

    public void Dispose() => File.Delete(_file);

    [Fact]
    public void What_is_written_is_read_again()
    {
        File.WriteAllText(_file, Example.ToJson());

        var read = Results.Read(_file);

        read.ToJson().ShouldBe(Example.ToJson());
        read.Measurements.Select(Parts).ShouldBe(Example.Measurements.Select(Parts));
        read.Measurements.Select(m => m.Samples).ShouldBe(Example.Measurements.Select(m => m.Samples));
        read.Machine.Facts.ShouldBe(Example.Machine.Facts);
        read.Timelines[0].Stages.ShouldBe(Example.Timelines[0].Stages);
        Example.ToJson().ShouldContain("\"p99\"");

        static object Parts(Measurement m) => (m.What, m.Benchmark, m.Unit, m.Judged, m.Budget, m.Baseline, m.RatioBudget);
    }

    [Fact]
    public void What_is_no_result_is_told()
    {
        File.WriteAllText(_file, "[]");

        Should.Throw<BenchException>(() => Results.Read(_file)).Message.ShouldContain(_file);
        Should.Throw<BenchException>(() => Results.Read(_file + ".not"));
    }

    [Fact]
    public void What_was_not_measured_is_written_and_shown_with_the_reason()
    {
        var results = Example with { Measurements = [.. Example.Measurements, new Measurement { Benchmark = "clone", What = "peer", Samples = [], Missing = "it is not there" }] };
        File.WriteAllText(_file, results.ToJson());
        using var writer = new StringWriter();
        Report.Write(writer, Results.Read(_file));

        Results.Read(_file).Measurements[^1].Missing.ShouldBe("it is not there");
        writer.ToString().Split('\n').Single(line => line.StartsWith("peer", StringComparison.Ordinal)).ShouldEndWith("not measured: it is not there");
        PerformancePage.Markdown(results, [("clone", "copies")], null).ShouldContain("| peer | 0 | - | - | - | - | not measured: it is not there |  |");
    }

    [Fact]
    public void An_earlier_run_fills_in_what_was_not_run_now()
    {
        var now = Example with { Measurements = [new Measurement { Benchmark = "resume", What = "bare", Samples = [9] }], Timelines = [] };

        var both = now.With(Example);

        both.Measurements.Select(m => (m.What, m.Median)).ShouldBe([("memory", 80), ("bare", 9)]);
        both.Timelines.ShouldBe(Example.Timelines);
    }

    [Fact]
    public void The_table_has_a_line_for_each_with_its_peer()
    {
        using var writer = new StringWriter();
        Report.Write(writer, Example);

        var lines = writer.ToString().Split('\n');
        lines.ShouldContain(line => line.StartsWith("processor:", StringComparison.Ordinal));
        lines.Single(line => line.StartsWith("ours", StringComparison.Ordinal)).ShouldEndWith("3.00x of 'bare', within 3.50x");
        lines.Single(line => line.StartsWith("memory", StringComparison.Ordinal)).ShouldEndWith("none");
    }

    [Fact]
    public void The_page_names_the_machine_and_has_a_section_for_each_benchmark_that_was_run()
    {
        var page = PerformancePage.Markdown(Example, [("program", "not run"), ("resume", "a copy"), ("clone", "copies")], "performance.svg");

        page.ShouldContain("| processor | One \\| two |");
        page.ShouldContain("![Stages of starts](performance.svg)");
        page.ShouldContain("## Resume\n\nA copy.\n");
        page.ShouldContain("| ours | 2 | 300.0 ms | 400.0 ms | 400.0 ms | 400.0 ms | 3.00x of 'bare', within 3.50x | within 1.00 s (0.30x) |");
        page.ShouldNotContain("## Program");
        page.ShouldEndWith("|\n");
    }

    [Fact]
    public void Without_a_picture_the_page_has_none() => PerformancePage.Markdown(Example, [("resume", "a copy")], null).ShouldNotContain("![");
}
