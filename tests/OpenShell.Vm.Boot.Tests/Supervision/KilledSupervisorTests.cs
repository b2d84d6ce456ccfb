using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Supervision;

/// <summary>Programs' machines side by side, and what is left of one whose command was killed.</summary>
public sealed class KilledSupervisorTests : IAsyncLifetime
{
    private readonly TestHome _home = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => await Requirements.SkipUnlessMachinesCanBootAsync();

    public ValueTask DisposeAsync()
    {
        _home.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Ten_programs_at_once_each_have_a_machine_of_their_own()
    {
        var runs = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => new GatewayCli(_home).StartAsync("--mem", "256", "--vcpus", "1", "--timeout", "20m", "--exec", "/bin/sh", "--args", "-c", $"echo {i}; exit {i}")));

        foreach (var (i, run) in runs.Index())
            (run.ExitCode, run.Out).ShouldBe((i, $"{i}\n"), run.ToString());
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_machine_ends_with_its_killed_command_and_the_next_one_clears_what_it_left()
    {
        using var command = new GatewayCli(_home).Start("--exec", "/bin/sh", "--args", "-c", "echo up; exec sleep 1000");
        (await command.StandardOutput.ReadLineAsync(Cancellation)).ShouldBe("up");
        command.Kill();
        await command.WaitForExitAsync(Cancellation);

        await Eventually.HoldsAsync("no process is left", () => Task.FromResult(Leftovers.ProcessesOf(_home).Count == 0), TimeSpan.FromMinutes(2));
        Leftovers.Of(_home).ShouldNotBeEmpty();
        (await new GatewayCli(_home).StartAsync("--exec", "/bin/true")).OrFail();
        Leftovers.Of(_home).ShouldBeEmpty();
    }
}
