using System.Text.Json;

namespace OpenShell.Gateway.Cli.Tests;

/// <summary><c>gateway up</c> as a process, with made-up machines.</summary>
public sealed class UpTests : IDisposable
{
    private readonly Harness _harness = new();

    [Fact]
    public async Task Up_shows_stages_and_times_and_stays_until_it_is_stopped()
    {
        using var process = _harness.Start(Harness.Dummy, ["up", "--name", "fine"]);
        await ReadUntilAsync(process.StandardOutput, "'fine' is ready after 1 min 11 s.");

        await Harness.SignalAsync(process, "INT");

        var result = await Harness.FinishAsync(process);
        result.ExitCode.ShouldBe(0);
        result.Out.ShouldContain("gateway      https://127.0.0.1:30051");
        result.Error.ShouldContain("host-probe: done in 0.25 s (QEMU 10.0.2, tcg)");
        result.Error.ShouldContain("kernel: done in 2.0 s");
        result.Error.ShouldContain("Stopped.");
        _harness.JournalText.ShouldBe("run fine\nstop force=False\ndisposed\n");
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task A_termination_and_a_closing_terminal_stop_it_in_order(string signal)
    {
        using var process = _harness.Start(Harness.Dummy, ["up", "--name", "fine"]);
        await ReadUntilAsync(process.StandardOutput, "'fine' is ready");

        await Harness.SignalAsync(process, signal);

        (await Harness.FinishAsync(process)).ExitCode.ShouldBe(0);
        _harness.JournalText.ShouldContain("stop force=False\n");
    }

    [Fact]
    public async Task A_second_interrupt_stops_it_at_once()
    {
        using var process = _harness.Start(Harness.Dummy, ["up", "--name", "stubborn"]);
        await ReadUntilAsync(process.StandardOutput, "'stubborn' is ready");

        await Harness.SignalAsync(process, "INT");
        await _harness.JournalHasAsync("stop force=False");
        await Harness.SignalAsync(process, "INT");
        await _harness.JournalHasAsync("stop force=True");

        (await Harness.FinishAsync(process)).ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task An_interrupt_before_it_is_ready_stops_it_and_ends_with_130()
    {
        using var process = _harness.Start(Harness.Dummy, ["up", "--name", "slow"]);
        await _harness.JournalHasAsync("run slow");
        await ReadUntilAsync(process.StandardError, "kernel: ...");

        await Harness.SignalAsync(process, "INT");

        (await Harness.FinishAsync(process)).ExitCode.ShouldBe(130);
        _harness.JournalText.ShouldBe("run slow\nstop force=False\ndisposed\n");
    }

    [Fact]
    public async Task A_start_that_fails_says_what_to_do_and_where_more_stands()
    {
        var result = await _harness.DummyAsync("up", "--name", "failing");

        result.ExitCode.ShouldBe(1);
        result.Out.ShouldBeEmpty();
        result.Error.ShouldContain("kernel: FAILED");
        result.Error.ShouldEndWith("error: The guest did not come up.\n  remedy: Look at its console.\n  log: /somewhere/console.log\n");
    }

    [Fact]
    public async Task A_machine_that_is_lost_while_it_runs_is_a_failure()
    {
        var result = await _harness.DummyAsync("up", "--name", "lost");

        result.ExitCode.ShouldBe(1);
        result.Error.ShouldContain("error: The guest did not come up.");
    }

    [Fact]
    public async Task Detached_it_comes_back_and_names_the_supervisor_to_start()
    {
        var result = await _harness.DummyAsync("up", "--detach", "--name", "fine");

        result.ExitCode.ShouldBe(0);
        result.Out.ShouldContain("'fine' is ready after 1 min 11 s.");
        _harness.JournalText.ShouldBe("detach fine __supervise fine\n");
    }

    [Fact]
    public async Task Detached_a_second_interrupt_stops_it_at_once()
    {
        using var process = _harness.Start(Harness.Dummy, ["up", "--detach", "--name", "slow"]);
        await _harness.JournalHasAsync("detach slow __supervise slow");

        await Harness.SignalAsync(process, "INT");
        await _harness.JournalHasAsync("stop slow force=False");
        await Harness.SignalAsync(process, "INT");

        (await Harness.FinishAsync(process)).ExitCode.ShouldBe(130);
        _harness.JournalText.ShouldBe("detach slow __supervise slow\nstop slow force=False\nstop slow force=True\n");
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    [InlineData("HUP", 129)]
    public async Task A_program_that_was_interrupted_before_it_ran_has_not_succeeded(string signal, int code)
    {
        using var process = _harness.Start(Harness.Dummy, ["--name", "slow", "--exec", "/bin/false"]);
        await _harness.JournalHasAsync("run slow");
        await Harness.SignalAsync(process, signal);

        (await Harness.FinishAsync(process)).ExitCode.ShouldBe(code);
    }

    [Fact]
    public async Task Reset_empties_the_instance_first()
    {
        var result = await _harness.DummyAsync("up", "--detach", "--reset", "--name", "running");

        result.ExitCode.ShouldBe(0);
        _harness.JournalText.ShouldBe("check and reset running\ndetach running __supervise running\n");
    }

    [Fact]
    public async Task Reset_takes_out_the_merged_context_whose_certificates_are_gone()
    {
        var config = Path.Combine(_harness.Home, ".kube/config");
        Directory.CreateDirectory(Path.GetDirectoryName(config)!);
        await File.WriteAllTextAsync(config, "clusters:\n- name: openshell-running\n  cluster: {server: \"https://127.0.0.1:6443\", certificate-authority-data: Q0E=}\n", TestContext.Current.CancellationToken);

        (await _harness.DummyAsync("up", "--detach", "--reset", "--name", "running")).Error.ShouldContain($"Its context is taken out of {config}.");

        (await File.ReadAllTextAsync(config, TestContext.Current.CancellationToken)).ShouldNotContain("openshell-running");
    }

    [Fact]
    public async Task As_json_stdout_has_the_status_and_nothing_else()
    {
        var result = await _harness.DummyAsync("up", "--detach", "--name", "fine", "--output", "json");

        using var json = JsonDocument.Parse(result.Out);
        json.RootElement.GetProperty("ready").GetBoolean().ShouldBeTrue();
    }

    [Fact]
    public async Task Quiet_means_nothing_but_failures()
    {
        var fine = await _harness.DummyAsync("up", "--detach", "-q", "--name", "fine");
        fine.ShouldBe(new CommandResult(0, "", ""));

        var failing = await _harness.DummyAsync("up", "-q", "--name", "failing");
        failing.Error.ShouldStartWith("error: ");
    }

    [Fact]
    public async Task Missing_packages_are_named_with_the_reason_and_the_command_before_anything_starts()
    {
        var result = await _harness.RunAsync(Harness.Dummy, ["up", "--name", "fine"], environment: e => e["DUMMY_MISSING"] = "qemu-system-x86");

        result.ExitCode.ShouldBe(1);
        result.Error.ShouldContain("qemu-system-x86   this Debian   runs the machine");
        result.Error.ShouldContain("  remedy: Run: sudo ./gateway setup");
        _harness.JournalText.ShouldBeEmpty();
    }

    [Fact]
    public async Task Packages_that_only_a_build_needs_are_not_asked_for_when_the_images_are_there()
    {
        var result = await _harness.RunAsync(Harness.Dummy, ["up", "--detach", "--name", "fine"], environment: e => e["DUMMY_MISSING"] = "build-tool");

        result.ExitCode.ShouldBe(0);
    }

    [Fact]
    public async Task The_program_of_exec_is_all_that_is_seen_and_its_exit_code_is_ours()
    {
        var result = await _harness.DummyAsync("--exec", "/bin/sh", "--env", "WHO=guest", "--args", "-c", "echo hello $WHO; cat >/dev/null; exit 42", "--name", "-v");

        result.ShouldBe(new CommandResult(42, "hello guest\n", ""));
        _harness.JournalText.ShouldContain("disposed");
    }

    [Theory]
    [InlineData("/no/such/program", 127)]
    [InlineData("/etc/passwd", 126)]
    public async Task A_program_that_cannot_run_has_dockers_exit_code(string program, int code)
    {
        var result = await _harness.DummyAsync("--exec", program);

        result.ExitCode.ShouldBe(code);
        result.Error.ShouldContain("  remedy: ");
    }

    [Fact]
    public async Task A_machine_lost_before_its_program_ended_is_125()
    {
        var result = await _harness.DummyAsync("--exec", "/bin/true", "--name", "failing");

        result.ExitCode.ShouldBe(125);
        result.Error.ShouldContain("error: The guest did not come up.");
    }

    public void Dispose() => _harness.Dispose();

    private static async Task ReadUntilAsync(StreamReader reader, string text)
    {
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
                return;
        }

        throw new InvalidOperationException($"The output ended without '{text}'.");
    }
}
