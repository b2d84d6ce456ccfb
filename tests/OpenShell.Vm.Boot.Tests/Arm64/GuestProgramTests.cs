using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Programs;

namespace OpenShell.Vm.Boot.Tests.Arm64;

/// <summary>openshell-init for AArch64, compiled here where NuGet's sources have the packs, in a machine that QEMU emulates: all that <c>--exec</c> is, with nothing different but the processor.</summary>
public sealed class GuestProgramTests : ProgramTest
{
    [Fact]
    public async Task A_program_runs_on_the_other_processor()
    {
        await OtherProcessor.SkipUnlessThereAsync();
        await SkipUnlessTheGuestCanBeCompiledAsync();

        var run = await Gateway.StartAsync(
            "--arch", OtherProcessor.Name, "--timeout", "10m", "--exec", "/bin/sh", "--args", "-c", "uname -m; cat /proc/1/comm; iptables --version; cat; exit 7");

        run.ExitCode.ShouldBe(7, run.ToString());
        run.Out.Split('\n')[..2].ShouldBe(["aarch64", "openshell-init"]);
        run.Out.ShouldContain("iptables v1.8.9 (nf_tables)");
    }

    /// <summary>By trying it. What is missing is told by the fault, which is all that the build may fail with.</summary>
    private async Task SkipUnlessTheGuestCanBeCompiledAsync()
    {
        var build = await Gateway.StartAsync("image", "build", "--arch", OtherProcessor.Name, "--exec-only", "--output", "json");
        if (build.ExitCode != 0 && build.Err.Contains("NuGet's package sources on this host do not have", StringComparison.Ordinal))
        {
            build.Err.ShouldContain("Everything else was built: ");
            Assert.Skip(build.Err.Split('\n').First(line => line.Contains("do not have", StringComparison.Ordinal)));
        }

        using var set = JsonDocument.Parse(build.OrFail());
        set.RootElement.GetProperty("root").GetString()!.ShouldEndWith("/root.squashfs");
    }
}
