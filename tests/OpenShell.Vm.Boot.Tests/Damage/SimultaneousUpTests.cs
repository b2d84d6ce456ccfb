using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Damage;

/// <summary>The command at the same instant twice, for one instance: real processes, real machines, which are ended as soon as it is clear whose they are.</summary>
public sealed class SimultaneousUpTests : IAsyncLifetime
{
    private const string Name = "raced";

    private readonly TestHome _home = new();

    private GatewayCli Gateway => new(_home);

    public async ValueTask InitializeAsync() => await Requirements.SkipUnlessMachinesCanBootAsync();

    public async ValueTask DisposeAsync()
    {
        if (Directory.Exists(Path.Combine(_home.Data, "openshell-vm", "instances", Name)))
            await Gateway.RunAsync("stop", "--force", "--name", Name);
        _home.Dispose();
    }

    [Theory]
    [InlineData("--detach", "--detach")]
    [InlineData("--detach", "")]
    [InlineData("", "")]
    public async Task Of_two_starts_one_wins_and_the_other_says_who_has_it(string first, string second)
    {
        (await Gateway.StartAsync("image", "build", "--distribution", "upstream")).OrFail();
        using var one = Start(first);
        using var two = Start(second);
        var ends = new[] { HostProgram.EndAsync(one, GatewayCli.Long), HostProgram.EndAsync(two, GatewayCli.Long) };

        // The one that lost ends at once, the other one goes on.
        var loser = await (await Task.WhenAny(ends));
        loser.ExitCode.ShouldBe(1, loser.ToString());
        loser.Err.ShouldContain($"Instance {Name} is already running (pid ");
        loser.Err.ShouldContain("remedy:");
        ends.Count(end => end.IsCompleted).ShouldBe(1);

        // A stop that comes before the winner's supervisor has its lock finds nothing to stop, and the start goes on.
        await Eventually.HoldsAsync(
            "the winner's machine is started", async () => (await Gateway.RunAsync("status", "--name", Name, "--output", "json")).Out.Contains("\"vmm\"", StringComparison.Ordinal), TimeSpan.FromMinutes(2));
        (await Gateway.RunAsync("stop", "--force", "--name", Name)).OrFail();
        await Task.WhenAll(ends);
        await Eventually.HoldsAsync("nothing is left", () => Task.FromResult(Leftovers.Of(_home).Count == 0), TimeSpan.FromMinutes(1));
        (await Gateway.RunAsync("delete", "--name", Name)).OrFail();
    }

    private System.Diagnostics.Process Start(string detach) =>
        Gateway.Start(["up", "--name", Name, "--distribution", "upstream", "--mem", "2g", "--vcpus", "1", .. detach.Length == 0 ? (string[])[] : [detach]]);
}
