using System.Diagnostics;

namespace OpenShell.Gateway.Cli.Tests;

/// <summary><c>gateway exec</c> from its arguments to its exit code; the program runs on this host, everything else is real.</summary>
public sealed class ExecTests : IDisposable
{
    private readonly Harness _harness = new();

    [Theory]
    [InlineData(0)]
    [InlineData(42)]
    [InlineData(255)]
    public async Task The_exit_code_is_the_programs(int code)
    {
        var result = await _harness.DummyAsync("exec", "--", "sh", "-c", $"exit {code}");

        result.ExitCode.ShouldBe(code);
        result.Error.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_program_that_is_not_there_is_127_with_a_remedy()
    {
        var result = await _harness.DummyAsync("exec", "--", "/no/such/program");

        result.ExitCode.ShouldBe(127);
        result.Error.ShouldContain("error: '/no/such/program' did not run in the guest");
        result.Error.ShouldContain("  remedy: ");
    }

    [Fact]
    public async Task Stdout_and_stderr_stay_apart()
    {
        var result = await _harness.DummyAsync("exec", "--", "sh", "-c", "echo out; echo err >&2");

        result.Out.ShouldBe("out\n");
        result.Error.ShouldBe("err\n");
    }

    [Fact]
    public async Task Arguments_arrive_as_they_were_written()
    {
        string[] arguments = ["-v", "--help", "@file", "a b", "", "$HOME", "--", "--args", "'\"\\"];

        var result = await _harness.DummyAsync(["exec", "--", "printf", "<%s>\\n", .. arguments]);

        result.Out.ShouldBe(string.Concat(arguments.Select(a => $"<{a}>\n")));
    }

    [Fact]
    public async Task The_environment_and_the_folder_are_the_programs()
    {
        var result = await _harness.DummyAsync("exec", "-e", "A=1=2", "-e", "B=", "-w", "/usr", "--", "sh", "-c", "echo \"$A/${B-unset}\"; pwd");

        result.Out.ShouldBe("1=2/\n/usr\n");
    }

    [Fact]
    public async Task Stdin_is_passed_on_to_its_end_with_i()
    {
        var text = string.Concat(Enumerable.Range(0, 200_000).Select(i => $"{i}\n"));

        var result = await _harness.RunAsync(Harness.Dummy, ["exec", "-i", "--", "cat"], text);

        result.Out.ShouldBe(text);
    }

    [Fact]
    public async Task Stdin_is_not_touched_without_i()
    {
        var result = await _harness.RunAsync(Harness.Dummy, ["exec", "--", "cat"], "not for cat");

        result.ExitCode.ShouldBe(0);
        result.Out.ShouldBeEmpty();
    }

    [Fact]
    public async Task Bytes_are_not_text()
    {
        var result = await _harness.DummyAsync("exec", "--", "sh", "-c", "head -c 3000000 /dev/urandom | tee /dev/stderr | sha256sum > $1; cat $1 >&2", "-", Path.Combine(_harness.Home, "sum"));

        // Read as text above; compare what another reader sees.
        result.ExitCode.ShouldBe(0);
        var again = await _harness.RunAsync("/bin/sh", ["-c", $"'{Harness.Dummy}' exec -- cat /bin/sh | sha256sum; sha256sum < /bin/sh"]);
        again.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Distinct().Count().ShouldBe(1);
    }

    [Theory]
    [InlineData("INT", 2)]
    [InlineData("TERM", 15)]
    [InlineData("HUP", 1)]
    [InlineData("QUIT", 3)]
    public async Task A_signal_is_the_programs(string signal, int number)
    {
        using var process = _harness.Start(Harness.Dummy, ["exec", "--", "sh", "-c", $"trap 'exit {40 + number}' {signal}; echo ready; while :; do sleep 0.05; done"]);
        (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("ready");

        await Harness.SignalAsync(process, signal);

        (await Harness.FinishAsync(process)).ExitCode.ShouldBe(40 + number);
        _harness.JournalText.ShouldContain($"signal {number}\n");
    }

    [Fact]
    public async Task A_third_interrupt_ends_this_side_when_the_program_does_not_care()
    {
        using var process = _harness.Start(Harness.Dummy, ["exec", "--", "sh", "-c", "trap '' INT; echo ready; exec sleep 100"]);
        (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("ready");

        for (var i = 0; i < 3; i++)
        {
            await Harness.SignalAsync(process, "INT");
            if (i < 2)
                await WaitForSignalsAsync(i + 1);
        }

        (await Harness.FinishAsync(process)).ExitCode.ShouldBe(130);
        _harness.JournalText.ShouldEndWith("killed\n");
    }

    [Fact]
    public async Task A_program_whose_output_nobody_reads_is_told_so()
    {
        // .NET's children ignore SIGPIPE unless told otherwise.
        var result = await _harness.RunAsync("/bin/bash", ["-c", $"'{Harness.Dummy}' exec -- env --default-signal=PIPE yes | head -n 1; echo ${{PIPESTATUS[0]}}"]);

        result.Out.ShouldBe("y\n141\n", result.Error);
        _harness.JournalText.ShouldEndWith("signal 13\n", Case.Sensitive, "it ended by itself");
    }

    [Fact]
    public async Task Two_streams_into_one_file_do_not_overwrite_each_other()
    {
        var result = await _harness.RunAsync("/bin/sh", ["-c", $"'{Harness.Dummy}' exec -- sh -c 'for i in 1 2 3 4 5 6 7 8; do echo out$i; echo err$i >&2; done' > log 2>&1; sort log | tr '\\n' ' '"]);

        result.Out.ShouldBe("err1 err2 err3 err4 err5 err6 err7 err8 out1 out2 out3 out4 out5 out6 out7 out8 ");
    }

    public void Dispose() => _harness.Dispose();

    private async Task WaitForSignalsAsync(int count)
    {
        var limit = Stopwatch.StartNew();
        while (_harness.JournalText.Split("signal 2\n").Length - 1 < count)
        {
            limit.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(30));
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
