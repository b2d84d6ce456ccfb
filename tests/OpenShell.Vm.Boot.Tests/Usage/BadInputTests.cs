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
        // Those that cannot be read, and those that can be read and make no sense.
        var unreadable = await new GatewayCli(_home).RunAsync("up", "-p", "99999:1", "--mem", "much", "--timeout", "soon", "--name", "a/b");
        foreach (var named in (string[])["99999", "--mem", "--timeout", "--name"])
            Told(unreadable, named, 2);

        var senseless = await new GatewayCli(_home).RunAsync("up", "--vcpus", "0", "--mem", "1m", "--net", "pigeon");
        foreach (var named in (string[])["--vcpus", "--mem", "pigeon"])
            Told(senseless, named, 2);
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
        Directory.EnumerateFileSystemEntries(_home.Data).ShouldBeEmpty();
        Leftovers.Of(_home).ShouldBeEmpty();
    }
}
