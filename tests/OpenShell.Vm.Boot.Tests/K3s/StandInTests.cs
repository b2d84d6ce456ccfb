using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.K3s;

/// <summary>The stand-in itself, on the host: it is only as good as it is honest.</summary>
public sealed class StandInTests
{
    [Fact]
    public async Task It_does_not_call_itself_k3s()
    {
        var version = await RunAsync("--version");

        version.OrFail().Trim().ShouldBe("k3s stand-in (Kubernetes 1.20.2)");
    }

    [Theory]
    [InlineData("--cluster-init")]
    [InlineData("--tls-sans=a")]
    [InlineData("--flannel-backend=vxlan")]
    public async Task A_flag_that_it_does_not_know_ends_it_as_it_would_k3s(string flag)
    {
        var wrong = await RunAsync("server", "--node-ip=192.0.2.1", flag);

        wrong.ExitCode.ShouldBe(1);
        wrong.Err.ShouldStartWith("Incorrect Usage: ");
        wrong.Err.ShouldContain("level=fatal");
        wrong.Err.ShouldContain(flag.TrimStart('-').Split('=')[0]);
    }

    [Fact]
    public async Task A_command_that_it_does_not_know_is_no_help_topic() => (await RunAsync("etcd-snapshot")).ExitCode.ShouldBe(3);

    private static async Task<Finished> RunAsync(params string[] arguments) =>
        await HostProgram.RunAsync(await K3sProgram.StandInAsync(), arguments, TimeSpan.FromMinutes(1));
}
