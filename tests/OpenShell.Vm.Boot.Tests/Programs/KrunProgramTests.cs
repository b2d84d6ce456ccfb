using OpenShell.Tests;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Programs;

/// <summary><c>gateway --exec</c> under a real libkrun: what <see cref="ProgramTests"/> says of QEMU, where there is one and hardware for it.</summary>
public sealed class KrunProgramTests : ProgramTest
{
    private static readonly string[] Krun = ["--hypervisor", "libkrun"];

    [Theory]
    [InlineData(0, "/bin/true")]
    [InlineData(42, "/bin/sh", "--args", "-c", "exit 42")]
    [InlineData(137, "/bin/sh", "--args", "-c", "kill -KILL $$")]
    [InlineData(127, "/no/such/program")]
    public async Task The_commands_exit_code_is_the_programs(int code, params string[] line)
    {
        await SkipUnlessItRunsAsync();
        var run = await Gateway.StartAsync([.. Krun, "--exec", .. line]);

        run.ExitCode.ShouldBe(code, run.ToString());
        run.Err.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task The_programs_streams_are_the_commands()
    {
        await SkipUnlessItRunsAsync();
        var run = await Gateway.RunAsync(GatewayCli.Long, "in\n"u8.ToArray(), [.. Krun, "--exec", "/bin/sh", "--args", "-c", "cat; echo out; echo err >&2"]);

        run.Out.ShouldBe("in\nout\n");
        run.Err.ShouldBe("err\n");
    }

    [Fact]
    public async Task The_machine_is_what_was_asked_for()
    {
        await SkipUnlessItRunsAsync();
        var run = await Gateway.StartAsync([.. Krun, "--vcpus", "1", "--network", "none", "--exec", "/bin/sh", "--args", "-c", "nproc; ls /sys/class/net"]);

        run.OrFail().ShouldBe("1\nlo\n");
    }

    [Fact]
    public async Task A_signal_ends_program_and_machine()
    {
        await SkipUnlessItRunsAsync();
        using var process = Gateway.Start([.. Krun, "--exec", "/bin/sh", "--args", "-c", "echo ready; exec sleep 1000"]);
        (await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(GatewayCli.Long, TestContext.Current.CancellationToken)).ShouldBe("ready");

        LibC.Kill(process.Id, LibC.SigTerm).ShouldBe(0);

        (await HostProgram.EndAsync(process, TimeSpan.FromMinutes(1))).ExitCode.ShouldBe(128 + LibC.SigTerm);
    }

    private async Task SkipUnlessItRunsAsync()
    {
        // Refused before anything is started, with what is missing: the library, or hardware virtualization.
        var plan = await Gateway.RunAsync([.. Krun.Prepend("plan"), "--exec", "/bin/true"]);
        Assert.SkipWhen(plan.Err.Contains("There is no libkrun", StringComparison.Ordinal) || plan.Err.Contains("libkrun runs on hardware virtualization only", StringComparison.Ordinal), plan.Err.Trim());
        plan.OrFail();

        // Debian's kernel does not do on x86-64, which the machine's process says.
        var run = await Gateway.StartAsync([.. Krun, "--exec", "/bin/true"]);
        Assert.SkipWhen(run.Err.Contains("CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES", StringComparison.Ordinal), run.Err.Trim());
    }
}
