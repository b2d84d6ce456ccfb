namespace OpenShell.Gateway.Cli.Tests;

/// <summary><c>gateway up</c> on an instance that runs: what is not so in it is said, and nothing is changed.</summary>
public sealed class UpWhileRunningTests : IDisposable
{
    private readonly Harness _harness = new();

    public void Dispose() => _harness.Dispose();

    [Fact]
    public async Task What_runs_already_is_not_started_again()
    {
        var result = await _harness.DummyAsync("up", "--detach", "--name", "running");

        result.ExitCode.ShouldBe(0);
        result.Error.ShouldContain("'running' is already running.");
        _harness.JournalText.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("-p 9090:90", "-p 9090:90")]
    [InlineData("--vcpus 3 --mem 4096", "--vcpus 3")]
    [InlineData("--mem 3g", "--mem 3072")]
    [InlineData("--gateway-port 30052", "--gateway-port 30052")]
    [InlineData("--kernel custom --base-image debian:12", "--base-image docker.io/library/debian:12, --kernel custom")]
    [InlineData("--restart always --idle-suspend 10m --allow-host-loopback", "--allow-host-loopback, --restart always, --idle-suspend 600s")]
    [InlineData("--hypervisor auto --idle-suspend off", "--hypervisor auto, --idle-suspend off")]
    [InlineData("--ca host --registry-mirror *=https://mirror.example", "--ca host, --registry-mirror *=https://mirror.example")]
    public async Task Up_on_a_running_instance_does_not_pretend_to_have_done_what_it_did_not(string options, string named)
    {
        var result = await _harness.DummyAsync(["up", "--detach", "--name", "running", .. options.Split(' ')]);

        result.ExitCode.ShouldBe(1);
        result.Error.ShouldContain($"error: 'running' is already running, without {named}; nothing was changed.");
        result.Error.ShouldContain("  remedy: Stop it first ('gateway stop --name running')");
        _harness.JournalText.ShouldBeEmpty();
    }

    [Fact]
    public async Task Up_on_a_running_instance_is_fine_with_what_is_so_already()
    {
        var result = await _harness.DummyAsync("up", "--detach", "--name", "running", "--vcpus", "2", "-p", "8080:80", "-p", "0:80", "--kernel", "debian", "--base-image", "none", "--restart", "no", "--idle-suspend", "1m", "--mount", "none", "--hypervisor", "qemu", "--network", "gvproxy");

        result.ExitCode.ShouldBe(0);
        result.Error.ShouldContain("'running' is already running.");
    }

    [Theory]
    [InlineData("boot", "suspend asleep")]
    [InlineData("auto", "wake asleep")]
    public async Task Up_of_one_that_sleeps_wakes_it_and_lets_go_of_it_where_it_is_to_boot(string start, string first)
    {
        var result = await _harness.DummyAsync("up", "--detach", "--name", "asleep", "--start", start);

        result.ExitCode.ShouldBe(0);
        _harness.JournalText.Split('\n', StringSplitOptions.RemoveEmptyEntries)[0].ShouldBe(first);
        _harness.JournalText.ShouldContain("detach asleep");
    }
}
