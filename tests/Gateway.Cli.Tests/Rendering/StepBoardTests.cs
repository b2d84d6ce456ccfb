using OpenShell.Gateway.Cli.Rendering.Progress;
using Spectre.Console;

namespace OpenShell.Gateway.Cli.Tests.Rendering;

public sealed class StepBoardTests
{
    [Fact]
    public void Parts_are_shown_while_their_step_is_at_work_and_go_with_it()
    {
        var board = new StepBoard(TimeProvider.System, unicode: false);
        board.Apply(new Step { Id = "image", Title = "image", State = StepState.Running });
        board.Apply(new Step { Id = "image/root", Title = "root image", State = StepState.Done, Took = TimeSpan.FromSeconds(41.5) });
        board.Apply(new Step { Id = "image/kubernetes", Title = "Kubernetes", State = StepState.Running, Share = 0.42, Detail = "kubelet" });

        var atWork = Picture(board);
        atWork.ShouldContain("\n  + root image ");
        atWork.ShouldContain("41.5 s");
        atWork.ShouldMatch("  [|/-] Kubernetes  .*42 %  kubelet");

        board.Apply(new Step { Id = "image", Title = "image", State = StepState.Done, Took = TimeSpan.FromSeconds(190) });
        board.Apply(new Step { Id = "disk", Title = "disk", State = StepState.Skipped });

        var done = Picture(board);
        done.ShouldMatch(@"\+ +image +3 min 10 s");
        done.ShouldMatch(@"- +disk");
        done.ShouldNotContain("Kubernetes");
    }

    [Fact]
    public void A_line_never_wraps()
    {
        var board = new StepBoard(TimeProvider.System, unicode: false);
        board.Apply(new Step { Id = "kernel", Title = "kernel", State = StepState.Running, Detail = new string('x', 500) + "[red]" });

        var line = Picture(board).TrimEnd('\n');
        line.ShouldNotContain("\n");
        line.Length.ShouldBe(79);
        line.ShouldEndWith("x>");
    }

    [Fact]
    public void A_live_display_can_draw_it_before_the_first_step()
    {
        var board = new StepBoard(TimeProvider.System, unicode: false);
        var writer = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, Interactive = InteractionSupport.Yes, Out = new AnsiConsoleOutput(writer) });

        console.Live(board.Render(80)).Start(frame => frame.UpdateTarget(board.Render(80)));

        writer.ToString().ShouldNotBeEmpty("the cursor at least");
    }

    private static string Picture(StepBoard board)
    {
        var writer = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(writer) });
        console.Profile.Width = 80;
        console.Write(board.Render(80));
        return writer.ToString();
    }
}
