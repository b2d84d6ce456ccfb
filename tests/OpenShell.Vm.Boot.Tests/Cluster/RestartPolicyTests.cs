using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Boot.Tests.Supervision;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>A cluster whose kernel panics is started again by its policy, and one whose guest hangs at its end is ended all the same: three starts of a cluster of its own.</summary>
public sealed class RestartPolicyTests : IAsyncLifetime
{
    private const string Name = "kept";

    /// <summary>An emulated cluster on a busy host.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(20);

    private readonly TestHome _home = new();

    private GatewayCli Gateway => new(_home);

    private string Folder => Path.Combine(_home.Data, "openshell-vm", "instances", Name);

    public async ValueTask InitializeAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        Requirements.SkipUnless("kubectl", "kubernetes-client");
    }

    public async ValueTask DisposeAsync()
    {
        await Gateway.RunAsync("stop", "--force", "--name", Name);
        _home.Dispose();
    }

    [Fact]
    public async Task A_panic_is_followed_by_a_restart_and_a_guest_that_hangs_at_its_end_loses_nothing_that_was_synced()
    {
        Requirements.SkipUnlessFull("a cluster of its own and two starts more take five minutes: './test --full' has them");
        (await Gateway.StartAsync("up", "--detach", "--name", Name, "--distribution", "upstream", "--restart", "on-failure", "--timeout", "30m")).OrFail();
        (await ShellAsync("echo one > /var/lib/openshell/kept && sync /var/lib/openshell/kept")).OrFail();

        // The command ends with the machine.
        await ShellAsync("echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger");
        await Eventually.HoldsAsync("it is ready again", async () => (await EventsAsync()).Count(e => e == "instance.ready") == 2, Soon);
        (await EventsAsync()).Where(e => e is "machine.panicked" or "instance.failed" or "instance.restarted").ShouldBe(["machine.panicked", "instance.failed", "instance.restarted"]);
        using var status = JsonDocument.Parse((await Gateway.RunAsync("status", "--name", Name, "--output", "json")).OrFail());
        (status.RootElement.GetProperty("phase").GetString(), status.RootElement.GetProperty("restarts").GetInt32()).ShouldBe(("ready", 1));
        (await File.ReadAllTextAsync(Path.Combine(Folder, "console.lost.1.log"), TestContext.Current.CancellationToken)).ShouldContain("Kernel panic - not syncing");
        (await ShellAsync("cat /var/lib/openshell/kept")).OrFail().ShouldBe("one\n");
        var kubectl = new Kubectl(Path.Combine(_home.Home, ".kube", $"gateway-{Name}.yaml"), _home);
        (await kubectl.RunAsync("get", "--raw", "/readyz")).ShouldBe("ok");

        // From here on nothing in the guest gets a turn, the agent included.
        (await ShellAsync("echo two > /var/lib/openshell/synced && sync /var/lib/openshell/synced")).OrFail();
        using (var hang = Gateway.Start("exec", "--name", Name, "--", "sh", "-c", "echo hangs; " + HealedMachineTests.Hang))
        {
            (await hang.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken)).ShouldBe("hangs");
            var stop = await Gateway.RunAsync(TimeSpan.FromMinutes(5), [], "stop", "--name", Name);
            stop.OrFail();
            hang.Kill();
            await hang.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        var lines = await LinesAsync();
        lines.SkipWhile(e => e.GetProperty("event").GetString() != "instance.stopping").Where(e => e.GetProperty("event").GetString() == "shutdown.step").Select(e => e.GetProperty("subject").GetString())
            .Take(3).ShouldBe(["power-off by the guest's agent", "power button over QMP", "quit over QMP"]);
        lines[^1].GetProperty("event").GetString().ShouldBe("instance.stopped");
        Leftovers.Of(_home).ShouldBeEmpty();

        // What its user stops stays stopped; and what was synced is there. A guest whose agent is not asked ends in order by its power button.
        var instances = new LocalInstances(new InstancesOptions { Directories = _home.Directories, Shutdown = new ShutdownLimits { AsksAgent = false, PowerDown = TimeSpan.FromMinutes(3) } });
        await using (var running = await instances.RunAsync((await instances.ConfigAsync(Name, TestContext.Current.CancellationToken)).ShouldNotBeNull(), cancellationToken: TestContext.Current.CancellationToken))
        {
            await running.Ready;
            (await ShellAsync("cat /var/lib/openshell/kept /var/lib/openshell/synced")).OrFail().ShouldBe("one\ntwo\n");
            await running.StopAsync();
            (await running.Completion).ShouldBe(0);
        }

        (await LinesAsync())[^2].GetProperty("subject").GetString().ShouldBe("power button over QMP");
        (await File.ReadAllTextAsync(Path.Combine(Folder, "console.log"), TestContext.Current.CancellationToken)).ShouldContain("openshell-init: stopped");
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    private Task<Finished> ShellAsync(string line) => Gateway.RunAsync("exec", "--name", Name, "--", "sh", "-c", line);

    private async Task<IReadOnlyList<string>> EventsAsync() => [.. (await LinesAsync()).Select(e => e.GetProperty("event").GetString()!)];

    private async Task<JsonElement[]> LinesAsync() =>
        [.. (await Gateway.RunAsync("events", "--name", Name, "--output", "json")).OrFail().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
}
