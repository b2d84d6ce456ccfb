namespace OpenShell.Gateway.Cli.Tests;

/// <summary>What people read.</summary>
public sealed class TextTests : IDisposable
{
    private readonly Harness _harness = new();

    [Theory]
    [InlineData("--help")]
    [InlineData("list")]
    [InlineData("status --name running")]
    [InlineData("up --detach --name fine -v")]
    [InlineData("up --name failing")]
    [InlineData("image build")]
    [InlineData("kernel build")]
    [InlineData("kernel compare")]
    [InlineData("image list")]
    [InlineData("image verify")]
    [InlineData("image prune")]
    [InlineData("doctor")]
    [InlineData("setup")]
    [InlineData("stats")]
    public async Task Into_a_file_go_no_terminal_codes(string line)
    {
        var result = await _harness.RunAsync(Harness.Dummy, line.Split(' '), environment: e =>
        {
            e["TERM"] = "xterm-256color";
            e["GITHUB_ACTIONS"] = "true";
        });

        (result.Out + result.Error).ShouldNotBeEmpty();
        (result.Out + result.Error).ShouldNotContain("\u001b");
        (result.Out + result.Error).ShouldNotContain("\r");
    }

    [Fact]
    public async Task Status_is_a_page()
    {
        var result = await _harness.DummyAsync("status", "--name", "running");

        result.Out.ShouldStartWith("name            running\nphase           ready\ngateway         https://127.0.0.1:30051\n");
        result.Out.ShouldContain("\nmachine         2 vCPUs, 4096 MiB, qemu (tcg)\n");
        result.Out.ShouldContain("\nforward         127.0.0.1:8080 -> 80\n");
        result.Out.ShouldContain("\nvmm             pid 4712\n");
        result.Out.ShouldContain("\nSTAGE        BEGAN        TOOK     STATE   DETAIL\nhost-probe   0.00 s       0.12 s   done    QEMU 10.0.2, tcg\n");
        result.Out.ShouldContain("\n  etcd       9.0 s        5.5 s    done\n");
    }

    [Fact]
    public async Task List_never_fails_because_of_one()
    {
        var result = await _harness.DummyAsync("list");

        result.ExitCode.ShouldBe(0);
        result.Out.ShouldContain("running   ready");
        result.Out.ShouldContain("torn      broken");
        result.Out.ShouldContain("The guest did not come up.");
    }

    [Fact]
    public async Task An_instance_that_is_not_there_names_those_that_are()
    {
        var result = await _harness.DummyAsync("status", "--name", "absent");

        result.ExitCode.ShouldBe(1);
        result.Error.ShouldBe("error: There is no instance 'absent'.\n  remedy: Name one of these with --name: running, torn.\n");
    }

    [Fact]
    public async Task Verify_says_what_is_corrupt_and_fails()
    {
        var result = await _harness.DummyAsync("image", "verify");

        result.ExitCode.ShouldBe(1);
        result.Error.ShouldContain("error: /cache/root is not as it was built.\n  remedy: Build it again");
    }

    [Fact]
    public async Task A_build_in_a_log_is_lines_of_steps()
    {
        var result = await _harness.DummyAsync("image", "build");

        result.Error.ShouldContain("kernel: nothing to do (12.3 MB, in the cache)");
        result.Error.ShouldContain("root image: done in 41.5 s (383.0 MB)");
        result.Out.ShouldStartWith("The image 0123456789abcdef is ready after ");
    }

    [Fact]
    public async Task A_comparison_without_Debians_libkrunfw_says_why_it_is_left_out()
    {
        var result = await _harness.DummyAsync("kernel", "compare");

        result.ExitCode.ShouldBe(0);
        result.Error.ShouldBe("Debian's libkrunfw is left out: The mirror does not answer.\n");
        result.Out.ShouldStartWith("| capability | for | required | one |\n");
        result.Out.ShouldContain("\n| veth | the pod network | yes | yes |\n");
    }

    [Fact]
    public async Task A_file_that_tells_nothing_of_a_kernel_is_not_compared()
    {
        var result = await _harness.DummyAsync("kernel", "compare", "shell=/bin/sh");

        result.ExitCode.ShouldBe(2);
        result.Error.ShouldContain("CONFIG_IKCONFIG");
        result.Error.ShouldContain("CONFIG_KALLSYMS");
        result.Out.ShouldBeEmpty();
    }

    [Fact]
    public async Task Logs_of_the_host_are_copied_and_a_missing_one_is_said()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_harness.Home, ".local/share/openshell-vm/instances/running")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "console.log"), "Linux version 6.1\n", TestContext.Current.CancellationToken);

        (await _harness.DummyAsync("logs", "--name", "running")).ShouldBe(new CommandResult(0, "Linux version 6.1\n", ""));
        (await _harness.DummyAsync("logs", "--name", "running", "--source", "gvproxy")).Error.ShouldStartWith("error: 'running' has no gvproxy log yet.");
    }

    [Fact]
    public async Task A_followed_log_goes_on_and_starts_over_with_a_new_file()
    {
        var log = Path.Combine(Directory.CreateDirectory(Path.Combine(_harness.Home, ".local/share/openshell-vm/instances/running")).FullName, "console.log");
        var cancellation = TestContext.Current.CancellationToken;
        await File.WriteAllTextAsync(log, "first boot\n", cancellation);
        using var process = _harness.Start(Harness.Dummy, ["logs", "--name", "running", "--follow"]);
        (await process.StandardOutput.ReadLineAsync(cancellation)).ShouldBe("first boot");

        await File.AppendAllTextAsync(log, "more\n", cancellation);
        (await process.StandardOutput.ReadLineAsync(cancellation)).ShouldBe("more");

        File.Delete(log);
        await File.WriteAllTextAsync(log, "second boot, whose log is longer than the first one's\n", cancellation);
        (await process.StandardOutput.ReadLineAsync(cancellation)).ShouldBe("second boot, whose log is longer than the first one's");

        await Harness.SignalAsync(process, "INT");
        (await Harness.FinishAsync(process)).ExitCode.ShouldBe(130);
    }

    public void Dispose() => _harness.Dispose();
}
