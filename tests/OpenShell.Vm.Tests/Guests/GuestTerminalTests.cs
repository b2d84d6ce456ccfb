using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Guests;

public sealed class GuestTerminalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_terminal_is_the_controlling_one_and_all_three_descriptors(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var (code, output, error) = await guest.Agent.ShellAsync("test -t 0 && test -t 1 && test -t 2 && echo yes > /dev/tty; echo $TERM; exit 7", terminal: true);

        (code, output, error).ShouldBe((7, "yes\r\nxterm\r\n", ""));
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_terminal_has_its_initial_size_and_tells_the_program_of_a_new_one(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        await using var process = await guest.Agent.ExecAsync(
            new ExecRequest
            {
                // Short reads: a signal just before bash goes to sleep in one is seen when that ends.
                Program = "bash",
                Arguments = ["-c", "trap 'stty size; exit 0' WINCH; stty size; while :; do read -t 0.2 x; done"],
                Terminal = true,
                Stdin = true,
                Size = new TerminalSize(Columns: 101, Rows: 37),
            },
            Token);
        await process.Stdout.ReadUntilAsync("37 101\r\n");

        await process.ResizeAsync(new TerminalSize(Columns: 55, Rows: 22), Token);

        await process.Stdout.ReadUntilAsync("22 55\r\n");
        (await process.Completion.WaitAsync(Token)).ExitCode.ShouldBe(0);
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task Control_c_typed_into_a_terminal_interrupts_the_program(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);
        await using var process = await guest.Agent.ExecAsync(
            new ExecRequest { Program = "sh", Arguments = ["-c", "echo ready; exec sleep 1000"], Terminal = true, Stdin = true }, Token);
        await process.Stdout.ReadUntilAsync("ready");

        await process.Stdin.WriteAsync(new byte[] { 3 }, Token);

        (await process.Completion.WaitAsync(Token)).ExitCode.ShouldBe(128 + 2);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("whole line\n", "whole line\r\nwhole line\r\n")]
    [InlineData("no line", "no lineno line")]
    public async Task The_end_of_stdin_is_typed_into_a_terminal(string input, string expected)
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);

        var (code, output, _) = await guest.Agent.RunAsync(new ExecRequest { Program = "cat", Terminal = true }, System.Text.Encoding.UTF8.GetBytes(input));

        (code, output).ShouldBe((0, expected));
    }

    [Theory(Timeout = 60_000), CombinatorialRoutes]
    public async Task The_last_output_of_a_program_is_not_lost_when_its_terminal_closes(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        for (var i = 0; i < 50; i++)
        {
            var (_, output, _) = await guest.Agent.ShellAsync("head -c 30000 /dev/zero | tr '\\0' x; echo the end", terminal: true);
            output.Length.ShouldBe(30_000 + "the end\r\n".Length);
        }
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task A_background_process_does_not_keep_a_terminal_open(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        var (code, output, _) = await guest.Agent.ShellAsync("trap '' HUP; sleep 1000 & echo $!", terminal: true);

        code.ShouldBe(0);
        System.Diagnostics.Process.GetProcessById(int.Parse(output.Trim())).Kill();
    }
}
