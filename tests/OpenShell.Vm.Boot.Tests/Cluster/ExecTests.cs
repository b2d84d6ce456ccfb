using System.Security.Cryptography;
using OpenShell.Tests;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary><c>gateway exec</c> behaves as a local program would.</summary>
public sealed class ExecTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    [Fact]
    public async Task Stdout_and_stderr_stay_apart()
    {
        var run = await Cluster.ExecAsync("--", "sh", "-c", "echo out; echo err >&2");

        (run.Out, run.Err, run.ExitCode).ShouldBe(("out\n", "err\n", 0));
    }

    [Fact]
    public async Task Stdin_is_passed_to_its_end_with_i_and_is_empty_without()
    {
        (await InputAsync("one\ntwo", "-i", "--", "cat")).Out.ShouldBe("one\ntwo");
        (await InputAsync("one\ntwo", "--", "cat")).OrFail().ShouldBeEmpty();
    }

    [Fact]
    public async Task Variables_and_working_directory_are_set()
    {
        (await Cluster.ExecAsync("-e", "COLOR=dark green", "-e", "EMPTY=", "-w", "/usr/lib", "--", "sh", "-c", "echo \"$COLOR|${EMPTY-unset}|$PWD\"")).OrFail()
            .ShouldBe("dark green||/usr/lib\n");
    }

    [Theory]
    [InlineData(0, "true")]
    [InlineData(42, "sh", "-c", "exit 42")]
    [InlineData(126, "/etc/hostname")]
    [InlineData(126, "/usr")]
    [InlineData(127, "no-such-program")]
    [InlineData(127, "/no/such/program")]
    [InlineData(137, "sh", "-c", "kill -KILL $$")]
    [InlineData(143, "sh", "-c", "kill -TERM $$")]
    public async Task The_exit_code_is_the_programs_as_a_shell_would_tell_it(int code, params string[] line)
    {
        var run = await Cluster.ExecAsync(["--", .. line]);

        run.ExitCode.ShouldBe(code, run.ToString());
        run.Err.ShouldNotContain("   at ");
        if (code is 126 or 127)
            run.Err.ShouldContain(line[0]);
    }

    [Fact]
    public async Task A_working_directory_that_is_not_there_is_said()
    {
        var run = await Cluster.ExecAsync("-w", "/no/such/folder", "--", "true");

        run.ExitCode.ShouldNotBe(0);
        run.Err.ShouldContain("/no/such/folder");
        run.Err.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_hundred_megabytes_pass_intact_both_ways_at_once()
    {
        var data = RandomNumberGenerator.GetBytes(100 * 1000 * 1000);

        var run = await Cluster.Gateway.RunAsync(TimeSpan.FromMinutes(10), data, "exec", "--name", Cluster.Name, "-i", "--", "cat");

        run.ExitCode.ShouldBe(0, run.Err);
        SHA256.HashData(run.Output).ShouldBe(SHA256.HashData(data));
        Console.Out.WriteLine($"100 MB to the guest and back in {run.Elapsed.TotalSeconds:0.0} s");
    }

    [Fact]
    public async Task Many_programs_run_at_once_and_are_not_mixed_up()
    {
        // None says anything before all are there.
        var folder = "/run/at-once-" + Guid.NewGuid().ToString("N");
        var runs = await Task.WhenAll(Enumerable.Range(1, 20).Select(n =>
            Cluster.ExecAsync("--", "sh", "-c", $"mkdir -p {folder}; touch {folder}/{n}; until [ $(ls {folder} | wc -l) = 20 ]; do sleep 0.1; done; for i in 1 2 3 4 5; do echo {n}; echo -{n} >&2; done; exit {n}")));

        for (var n = 1; n <= runs.Length; n++)
        {
            var run = runs[n - 1];
            run.ExitCode.ShouldBe(n, run.ToString());
            run.Out.ShouldBe(string.Concat(Enumerable.Repeat($"{n}\n", 5)));
            run.Err.ShouldBe(string.Concat(Enumerable.Repeat($"-{n}\n", 5)));
        }
    }

    [Fact]
    public async Task A_slow_reader_blocks_nobody_else()
    {
        // Nobody reads this one's output: every buffer on its way fills up.
        using var slow = Cluster.Gateway.Start("exec", "--name", Cluster.Name, "--", "cat", "/dev/zero");
        try
        {
            await slow.StandardOutput.BaseStream.ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);
            for (var i = 0; i < 5; i++)
            {
                var run = await Cluster.ExecAsync("--", "head", "-c", "1000000", "/dev/zero");
                run.ExitCode.ShouldBe(0, run.Err);
                run.Output.Length.ShouldBe(1_000_000);
                run.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20));
            }
            slow.HasExited.ShouldBeFalse();
        }
        finally
        {
            slow.Kill();
            await slow.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
        await GoneAsync("cat /dev/zero");
    }

    [Fact]
    public async Task A_signal_reaches_the_program_and_its_answer_comes_back()
    {
        using var process = Cluster.Gateway.Start("exec", "--name", Cluster.Name, "--", "sh", "-c", "trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.1; done");
        (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("ready");

        LibC.Kill(process.Id, LibC.SigTerm).ShouldBe(0);

        var run = await HostProgram.EndAsync(process, TimeSpan.FromMinutes(3));
        (run.Out, run.ExitCode).ShouldBe(("caught\n", 7));
    }

    [Fact]
    public async Task A_command_that_is_killed_takes_its_program_along()
    {
        using var process = Cluster.Gateway.Start("exec", "--name", Cluster.Name, "--", "sh", "-c", "echo ready; exec sleep 31415");
        (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("ready");

        process.Kill();

        await GoneAsync("sleep 31415");
    }

    [Fact]
    public async Task With_t_the_program_has_a_terminal_of_the_right_size_that_follows_resizing()
    {
        // A terminal of its own for the command, of 132 by 50 cells and then of 80 by 24.
        const string Terminal = """
            import fcntl, os, pty, struct, sys, termios, time
            pid, fd = pty.fork()
            if pid == 0:
                time.sleep(0.3)
                os.execv(sys.argv[1], sys.argv[1:])
            size = lambda rows, columns: fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))
            size(50, 132)
            seen = b''
            resized = False
            while True:
                try:
                    data = os.read(fd, 4096)
                except OSError:
                    break
                if not data:
                    break
                seen += data
                if b'ready' in seen and not resized:
                    resized = True
                    size(24, 80)
            print(seen.decode(), end='')
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
            """;
        Requirements.SkipUnless("python3", "python3");

        using var python = HostProgram.Start(
            Python.Path,
            ["-c", Terminal, GatewayCli.Program, "exec", "--name", Cluster.Name, "-t", "-i", "--", "bash", "-c", "tty; stty size; trap 'stty size; exit 9' WINCH; echo ready; while :; do sleep 0.1; done"],
            Cluster.Home.Environment);
        var run = await HostProgram.EndAsync(python, TimeSpan.FromMinutes(1));

        var lines = run.Out.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        lines[0].ShouldStartWith("/dev/pts/", Case.Sensitive, run.ToString());
        lines[1..].ShouldBe(["50 132", "ready", "24 80"], run.ToString());
        run.ExitCode.ShouldBe(9);
    }

    private Task<Finished> InputAsync(string input, params string[] arguments) =>
        Cluster.Gateway.RunAsync(GatewayCli.Short, System.Text.Encoding.UTF8.GetBytes(input), ["exec", "--name", Cluster.Name, .. arguments]);

    private Task GoneAsync(string line) => Eventually.HoldsAsync(
        $"'{line}' is gone in the guest",
        async () => !(await Cluster.ExecAsync("--", "sh", "-c", "for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $f; echo; done 2>/dev/null")).OrFail().Split('\n').Any(l => l.Trim() == line),
        TimeSpan.FromSeconds(30));
}
