using System.Diagnostics;
using OpenShell.Vm.Guest.Capabilities;

namespace OpenShell.Vm.Guest.Tests.Capabilities;

/// <summary>The script's own ways, with the shell of this machine; that it succeeds on a kernel that is good enough is seen at every boot of a cluster.</summary>
public sealed class CapabilityTrialTests
{
    [Fact]
    public async Task The_step_that_fails_is_named_with_its_own_words_and_none_follows()
    {
        var output = await RunAsync([("one", "echo fine"), ("two (CONFIG_TWO)", "echo it is not there >&2; false"), ("three", "echo never")]);

        CapabilityTrial.Explain(output).ShouldBe("two (CONFIG_TWO): it is not there");
        output.ShouldNotContain("never");
    }

    [Fact]
    public async Task A_step_within_a_pipe_or_with_rules_fails_like_any_other()
    {
        CapabilityTrial.Explain(await RunAsync([("rules", "sh -c 'cat >&2; exit 3' <<'END'\ntable t\nEND"), ("after", "true")])).ShouldBe("rules: table t");
        CapabilityTrial.Explain(await RunAsync([("a pipe", "echo x | grep -q y"), ("after", "true")])).ShouldBe("a pipe");
    }

    [Fact]
    public void A_trial_that_could_not_begin_says_so()
    {
        CapabilityTrial.Explain("unshare: unshare failed: Operation not permitted").ShouldBe("unshare: unshare failed: Operation not permitted");
        CapabilityTrial.Explain("").ShouldBe("the trial did not begin");
    }

    [Fact]
    public async Task Every_step_is_a_script_that_a_shell_can_read() =>
        (await RunAsync(CapabilityTrial.Steps, "-n")).ShouldBe("");

    private static async Task<string> RunAsync(IEnumerable<(string, string)> steps, string option = "-e")
    {
        var start = new ProcessStartInfo("/bin/sh", [option]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        using var shell = Process.Start(start)!;
        await shell.StandardInput.WriteAsync("exec 2>&1\n" + CapabilityTrial.Script(steps));
        shell.StandardInput.Close();
        var output = await shell.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await shell.WaitForExitAsync(TestContext.Current.CancellationToken);
        return output + await shell.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
    }
}
