using OpenShell.Gateway.Cli.Rendering.Progress;
using Spectre.Console;

namespace OpenShell.Gateway.Cli.Tests.Rendering;

public sealed class PlainDisplayTests
{
    private readonly StringWriter _writer = new();
    private readonly ManualTime _time = new();

    [Fact]
    public async Task A_long_step_is_mentioned_now_and_then_and_not_more_often()
    {
        var display = new PlainDisplay(_writer, _time, verbose: false);
        for (var second = 0; second <= 40; second++)
        {
            display.Show(new Step { Id = "root", Title = "root", State = StepState.Running, Share = second / 40.0 });
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        await display.DisposeAsync();
        Lines().ShouldBe(["[  0.00 s] root: 0 %", "[  15.0 s] root: 38 %", "[  30.0 s] root: 75 %"]);
    }

    [Fact]
    public async Task A_part_is_told_when_it_is_done_and_its_beginning_only_to_those_who_want_more()
    {
        Step[] steps =
        [
            new() { Id = "services/etcd", Title = "services/etcd", State = StepState.Running },
            new() { Id = "services/etcd", Title = "services/etcd", State = StepState.Done, Took = TimeSpan.FromSeconds(5.5) },
        ];

        foreach (var step in steps)
        {
            await using var brief = new PlainDisplay(_writer, _time, verbose: false);
            brief.Show(step);
        }

        Lines().ShouldContain("[  0.00 s] services/etcd: done in 5.5 s");

        var told = new StringWriter();
        var display = new PlainDisplay(told, _time, verbose: true);
        foreach (var step in steps)
            display.Show(step);
        await display.DisposeAsync();
        told.ToString().ShouldStartWith("[  0.00 s] services/etcd: ...\n");
    }

    [Fact]
    public async Task A_closed_terminal_does_not_stop_what_is_shown()
    {
        var display = new PlainDisplay(new ClosedWriter(), _time, verbose: false);

        display.Say("Stopping.");
        await display.DisposeAsync();
        display.Say("Stopped.");
    }

    [Fact]
    public async Task A_pipe_that_nobody_reads_holds_up_nothing_and_gets_all_when_somebody_does()
    {
        using var read = new ManualResetEventSlim();
        var display = new PlainDisplay(new HeldWriter(_writer, read), _time, verbose: false);

        display.Say("one");
        display.Say("two");
        _time.Advance(TimeSpan.FromSeconds(1));
        display.Show(new Step { Id = "root", Title = "root", State = StepState.Running });
        _writer.ToString().ShouldBeEmpty();
        read.Set();
        await display.DisposeAsync();

        Lines().ShouldBe(["[  0.00 s] one", "[  0.00 s] two", "[   1.0 s] root: ..."]);
    }

    [Fact]
    public async Task A_terminal_that_is_held_holds_up_nothing()
    {
        using var read = new ManualResetEventSlim();
        var writer = new HeldWriter(_writer, read);
        var display = new Cli.Rendering.Progress.LiveDisplay(
            AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, Interactive = InteractionSupport.Yes, Out = new AnsiConsoleOutput(writer) }), _time, unicode: false);
        await writer.Held.WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        display.Show(new Step { Id = "root", Title = "root", State = StepState.Running });
        display.Say("one");
        read.Set();
        await display.DisposeAsync();

        _writer.ToString().ShouldContain("one");
        _writer.ToString().ShouldContain("root");
    }

    private string[] Lines() => _writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private sealed class ManualTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan time) => _now += time.Ticks;
    }

    /// <summary>Takes nothing until somebody reads.</summary>
    private sealed class HeldWriter(StringWriter written, ManualResetEventSlim read) : TextWriter
    {
        private readonly TaskCompletionSource _held = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Held => _held.Task;

        public override System.Text.Encoding Encoding => System.Text.Encoding.UTF8;

        public override void WriteLine(string? value) => Write(value + "\n");

        public override void Write(char value) => Write(value.ToString());

        public override void Write(string? value)
        {
            _held.TrySetResult();
            read.Wait();
            written.Write(value);
        }
    }

    private sealed class ClosedWriter : StringWriter
    {
        public override void WriteLine(string? value) => throw new IOException("Input/output error");
    }
}
