using OpenShell.Gateway.Cli.Rendering.Progress;

namespace OpenShell.Gateway.Cli.Tests.Rendering;

public sealed class PlainDisplayTests
{
    private readonly StringWriter _writer = new();
    private readonly ManualTime _time = new();

    [Fact]
    public void A_long_step_is_mentioned_now_and_then_and_not_more_often()
    {
        var display = new PlainDisplay(_writer, _time, verbose: false);
        for (var second = 0; second <= 40; second++)
        {
            display.Show(new Step { Id = "root", Title = "root", State = StepState.Running, Share = second / 40.0 });
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Lines().ShouldBe(["[  0.00 s] root: 0 %", "[  15.0 s] root: 38 %", "[  30.0 s] root: 75 %"]);
    }

    [Fact]
    public void A_part_is_told_when_it_is_done_and_its_beginning_only_to_those_who_want_more()
    {
        Step[] steps =
        [
            new() { Id = "services/etcd", Title = "services/etcd", State = StepState.Running },
            new() { Id = "services/etcd", Title = "services/etcd", State = StepState.Done, Took = TimeSpan.FromSeconds(5.5) },
        ];

        foreach (var step in steps)
            new PlainDisplay(_writer, _time, verbose: false).Show(step);
        Lines().ShouldContain("[  0.00 s] services/etcd: done in 5.5 s");

        var told = new StringWriter();
        var display = new PlainDisplay(told, _time, verbose: true);
        foreach (var step in steps)
            display.Show(step);
        told.ToString().ShouldStartWith("[  0.00 s] services/etcd: ...\n");
    }

    [Fact]
    public void A_closed_terminal_does_not_stop_what_is_shown()
    {
        var display = new PlainDisplay(new ClosedWriter(), _time, verbose: false);

        Should.NotThrow(() => display.Say("Stopping."));
    }

    private string[] Lines() => _writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private sealed class ManualTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }

    private sealed class ClosedWriter : StringWriter
    {
        public override void WriteLine(string? value) => throw new IOException("Input/output error");
    }
}
