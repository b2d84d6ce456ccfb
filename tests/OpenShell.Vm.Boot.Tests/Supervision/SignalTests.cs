using System.Diagnostics;
using System.Text.Json;
using OpenShell.Tests;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Boot.Tests.Supervision;

/// <summary>A cluster in the foreground: Ctrl-C once is orderly, twice is now; SIGTERM and a terminal that is closed mean the same as the first.</summary>
public sealed class SignalTests : IAsyncLifetime
{
    private const int HangUp = 1, Interrupt = 2, Terminate = 15;

    private static readonly string[] Up = ["up", "--name", "signalled", "--distribution", "upstream"];

    private readonly TestHome _home = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private InstanceFiles Files => InstanceFiles.For(_home.Directories, InstanceName.Parse("signalled"));

    public async ValueTask InitializeAsync() => await Requirements.SkipUnlessMachinesCanBootAsync();

    public ValueTask DisposeAsync()
    {
        _home.Dispose();
        return ValueTask.CompletedTask;
    }

    [Theory]
    [InlineData(Interrupt)]
    [InlineData(Terminate)]
    [InlineData(HangUp)]
    public async Task Once_is_orderly(int signal)
    {
        using var up = await StartedAsync();
        LibC.Kill(up.Id, signal).ShouldBe(0);

        (await HostProgram.EndAsync(up, TimeSpan.FromMinutes(3))).ExitCode.ShouldBe(128 + signal);
        (await StepsAsync()).ShouldBe(["power-off by the guest's agent"]);
        Status()!.Phase.ShouldBe(InstancePhase.Stopped);
        (await File.ReadAllTextAsync(Files.ConsoleLog, Cancellation)).ShouldContain("openshell-init: stopped");
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    /// <summary>By the kernel, as for a user: nothing can be written to the terminal from then on.</summary>
    [Fact]
    public async Task A_terminal_that_is_closed_is_orderly()
    {
        var line = string.Join(' ', Up.Prepend(GatewayCli.Program).Select(word => $"'{word}'"));
        using var terminal = HostProgram.Start("script", ["-qec", "exec " + line, "/dev/null"], new Dictionary<string, string?>(_home.Environment) { ["TERM"] = "xterm" });

        // Somebody looks at it.
        var seen = terminal.StandardOutput.BaseStream.CopyToAsync(Stream.Null, Cancellation);
        await StartedAsync(terminal);
        var supervisor = Status()!.Processes[Roles.Supervisor];
        terminal.Kill();
        await Task.WhenAll(terminal.WaitForExitAsync(Cancellation), seen);

        await Eventually.HoldsAsync("it has ended", () => Task.FromResult(!ProcessIdentities.IsAlive(supervisor)), TimeSpan.FromMinutes(3));
        (await StepsAsync()).ShouldBe(["power-off by the guest's agent"]);
        Status()!.Phase.ShouldBe(InstancePhase.Stopped);
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    [Fact]
    public async Task Twice_is_now()
    {
        using var up = await StartedAsync();
        LibC.Kill(up.Id, Interrupt).ShouldBe(0);
        await Eventually.HoldsAsync("the orderly end has begun", async () => (await StepsAsync()).Count > 0, TimeSpan.FromMinutes(1));
        LibC.Kill(up.Id, Interrupt).ShouldBe(0);

        (await HostProgram.EndAsync(up, TimeSpan.FromMinutes(3))).ExitCode.ShouldBe(128 + Interrupt);
        (await StepsAsync()).ShouldBe(["power-off by the guest's agent", "quit over QMP"]);
        Status()!.Phase.ShouldBe(InstancePhase.Stopped);
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    /// <summary>A start that has come so far that the guest's agent answers.</summary>
    private async Task<Process> StartedAsync()
    {
        var up = new GatewayCli(_home).Start(Up);
        await StartedAsync(up);
        return up;
    }

    private async Task StartedAsync(Process up) =>
        await Eventually.HoldsAsync(
            "the guest's services are started",
            async () => up.HasExited ? throw new InvalidOperationException((await HostProgram.EndAsync(up, GatewayCli.Short)).ToString()) : Status()?.Stages.Any(stage => stage.Stage == BootStages.Services) == true,
            TimeSpan.FromMinutes(20));

    private InstanceStatus? Status() => File.Exists(Files.Status) ? JsonSerializer.Deserialize(File.ReadAllBytes(Files.Status), InstanceJson.Default.InstanceStatus) : null;

    private async Task<IReadOnlyList<string>> StepsAsync() =>
    [
        .. (await new GatewayCli(_home).RunAsync("events", "--name", "signalled", "--output", "json")).OrFail().Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonSerializer.Deserialize<JsonElement>(line)).Where(happened => happened.GetProperty("event").GetString() == "shutdown.step")
            .Select(happened => happened.GetProperty("subject").GetString()!),
    ];
}
