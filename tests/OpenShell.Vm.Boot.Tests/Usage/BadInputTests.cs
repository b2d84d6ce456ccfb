using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Usage;

/// <summary>What is wrong is named, with what to do; nothing is half-done; no stack trace.</summary>
public sealed class BadInputTests : IDisposable
{
    private readonly TestHome _home = new();

    public void Dispose() => _home.Dispose();

    [Theory]
    [InlineData("--colour", "--colour")]
    [InlineData("-p 99999:1", "99999")]
    [InlineData("-p a:b", "a:b")]
    [InlineData("-p 0:0", "0:0")]
    [InlineData("-p 8080:80 -p 8080:81", "8080")]
    [InlineData("--vcpus 0", "--vcpus")]
    [InlineData("--vcpus many", "--vcpus")]
    [InlineData("--mem 100000g", "--mem")]
    [InlineData("--mem 0", "--mem")]
    [InlineData("--name a/b", "--name")]
    [InlineData("--name ..", "--name")]
    [InlineData("--name LONG", "--name")]
    [InlineData("--hypervisor bochs", "bochs")]
    [InlineData("--distribution slackware", "slackware")]
    [InlineData("--net carrier-pigeon", "carrier-pigeon")]
    [InlineData("--env COLOR=green", "--exec")]
    [InlineData("--exec /bin/true --env =x", "--env")]
    [InlineData("--exec /bin/true --workdir relative", "--workdir")]
    [InlineData("--timeout soon", "--timeout")]
    public async Task A_bad_option_is_a_usage_error_that_names_it(string line, string named)
    {
        var arguments = line.Replace("LONG", new string('x', 300), StringComparison.Ordinal).Split(' ');

        foreach (var command in (string[][])[["up"], []])
            Told(await new GatewayCli(_home).RunAsync([.. command, .. arguments]), named, 2);
        Untouched();
    }

    [Fact]
    public async Task Several_mistakes_are_told_at_once()
    {
        var run = await new GatewayCli(_home).RunAsync("up", "-p", "99999:1", "--vcpus", "0", "--mem", "much");

        foreach (var named in (string[])["99999", "--vcpus", "--mem"])
            Told(run, named, 2);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("stop")]
    [InlineData("logs")]
    [InlineData("kubeconfig")]
    [InlineData("exec -- true")]
    [InlineData("delete")]
    public async Task An_instance_that_there_is_not_is_said(string command)
    {
        Told(await new GatewayCli(_home).RunAsync(command.Split(' ')), "default", 1);
        Untouched();
    }

    [Fact]
    public async Task A_busy_port_is_named_before_anything_is_started()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        using var busy = new TcpListener(IPAddress.Loopback, 0);
        busy.Start();
        var port = ((IPEndPoint)busy.LocalEndpoint).Port;

        var run = await new GatewayCli(_home).StartAsync("up", "--detach", "--name", "busy", "-p", $"{port}:80");

        Told(run, $"{port}", 1);
        // It can be known who holds it: this process.
        run.Err.ShouldContain($"{Environment.ProcessId}");
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    [Fact]
    public async Task No_QEMU_is_said_with_how_to_get_it()
    {
        // A PATH without it; the packages of this machine stay as they are.
        var run = await HostProgram.RunAsync(GatewayCli.Program, ["--exec", "/bin/true"], GatewayCli.Short, With("PATH", _home.Root));

        run.ExitCode.ShouldBe(1, run.ToString());
        run.Err.ShouldContain("QEMU", Case.Insensitive);
        run.Err.ShouldContain("remedy:");
        run.Err.ShouldNotContain("   at ");
    }

    [Fact]
    public async Task A_HOME_that_cannot_be_written_is_said()
    {
        // /proc takes no new folders, from nobody: also root is refused.
        var environment = With("HOME", "/proc/1");
        environment["XDG_DATA_HOME"] = environment["XDG_CONFIG_HOME"] = null;

        Told(await HostProgram.RunAsync(GatewayCli.Program, ["up", "--detach"], GatewayCli.Short, environment), "/proc/1", 1);
    }

    private static void Told(Finished run, string named, int code)
    {
        run.ExitCode.ShouldBe(code, run.ToString());
        run.Err.ShouldContain(named, Case.Sensitive, run.ToString());
        run.Err.ShouldContain("remedy:");
        run.Err.ShouldNotContain("   at ");
        run.Out.ShouldBeEmpty();
    }

    private void Untouched()
    {
        Directory.EnumerateFileSystemEntries(_home.Home).ShouldBeEmpty();
        Directory.EnumerateFileSystemEntries(_home.Config).ShouldBeEmpty();
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    private Dictionary<string, string?> With(string name, string value) => new(_home.Environment) { [name] = value };
}
