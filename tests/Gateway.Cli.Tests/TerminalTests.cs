using System.Text.RegularExpressions;

namespace OpenShell.Gateway.Cli.Tests;

/// <summary>On a real pseudo terminal, which <c>script</c> (https://man7.org/linux/man-pages/man1/script.1.html) makes.</summary>
public sealed partial class TerminalTests : IDisposable
{
    private readonly Harness _harness = new();

    [Fact]
    public async Task On_a_terminal_the_stages_are_redrawn_in_place_and_the_cursor_comes_back()
    {
        var result = await OnTerminalAsync($"{Harness.Dummy} up --name failing");

        result.Out.ShouldContain("\u001b[?25l", Case.Sensitive, "the cursor is hidden while something is drawn");
        result.Out.LastIndexOf("\u001b[?25h", StringComparison.Ordinal).ShouldBeGreaterThan(result.Out.LastIndexOf("\u001b[?25l", StringComparison.Ordinal));
        result.Out.ShouldContain("host-probe");
        result.Out.ShouldContain("error: The guest did not come up.");
        Colors().IsMatch(result.Out).ShouldBeTrue();
    }

    [Fact]
    public async Task NO_COLOR_means_no_colors()
    {
        var result = await OnTerminalAsync($"NO_COLOR=1 {Harness.Dummy} up --name failing");

        result.Out.ShouldContain("host-probe");
        Colors().IsMatch(result.Out).ShouldBeFalse();
    }

    [Fact]
    public async Task A_dumb_terminal_gets_plain_lines()
    {
        var result = await OnTerminalAsync($"TERM=dumb {Harness.Dummy} up --name failing");

        result.Out.ShouldContain("host-probe: done in 0.25 s");
        result.Out.ShouldNotContain("\u001b");
    }

    [Fact]
    public async Task The_terminal_is_raw_while_a_program_runs_and_afterwards_as_before()
    {
        await OnTerminalAsync($"stty -a > before; {Harness.Dummy} exec -w $PWD -it -- sh -c 'stty -a < /dev/tty > during'; stty -a > after");

        Read("during").ShouldContain("-icanon");
        Read("during").ShouldContain("-isig");
        Read("during").ShouldContain("-echo ");
        Read("before").ShouldMatch(@"\sicanon");
        Read("after").ShouldBe(Read("before"));
    }

    [Fact]
    public async Task The_terminal_is_as_before_when_a_signal_ended_the_program()
    {
        await OnTerminalAsync($"stty -a > before; {Harness.Dummy} exec -w $PWD -it -- sh -c 'kill -TERM $PPID; exec sleep 100'; echo $? > code; stty -a > after");

        Read("code").ShouldBe("143\n");
        Read("after").ShouldBe(Read("before"));
    }

    [Fact]
    public async Task Without_i_the_terminal_keeps_its_own_signals()
    {
        await OnTerminalAsync($"{Harness.Dummy} exec -w $PWD -t -- sh -c 'stty -a < /dev/tty > during'");

        Read("during").ShouldMatch(@"\sisig");
    }

    [Fact]
    public async Task The_program_is_told_the_size_of_the_terminal_and_its_changes()
    {
        await OnTerminalAsync($"stty rows 33 cols 101; {Harness.Dummy} exec -w $PWD -it -- sh -c 'stty rows 44 cols 120 < /dev/tty; until grep -q \"resize 120x44\" \"$DUMMY_JOURNAL\"; do sleep 0.05; done'");

        _harness.JournalText.ShouldContain("terminal=True stdin=True size=101x33\n");
        _harness.JournalText.ShouldContain("resize 120x44\n");
    }

    public void Dispose() => _harness.Dispose();

    private Task<CommandResult> OnTerminalAsync(string line) =>
        _harness.RunAsync("script", ["-qec", $"exec timeout --foreground 30 bash -c {Quote(line)}", "/dev/null"], environment: e => e["TERM"] = "xterm");

    private static string Quote(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private string Read(string file) => File.ReadAllText(Path.Combine(_harness.Home, file));

    [GeneratedRegex("\u001b\\[[0-9;]*[0-9]m")]
    private static partial Regex Colors();
}
