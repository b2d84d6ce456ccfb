using OpenShell.Tests;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guest.Power;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Supervision;

/// <summary>Each rung by which a machine is ended, with a hypervisor that heeds only some.</summary>
public sealed class MachineLadderTests : IDisposable
{
    private const string Agent = "power-off by the guest's agent", Button = "power button over QMP", Quit = "quit over QMP";

    private static readonly Ending Stopped = new Ending.Stopped("a test"), Hung = Lost("guest.hung"), AgentLost = Lost(Supervisor.AgentLostCode);

    /// <summary>Long enough for what works on a busy machine, short for what is never heard: that is waited out.</summary>
    private static readonly ShutdownLimits Limits = new()
    {
        Accept = TimeSpan.FromMilliseconds(100),
        PowerOff = Eventually.Limit,
        PowerDown = TimeSpan.FromMilliseconds(500),
        Quit = TimeSpan.FromMilliseconds(500),
        Terminate = TimeSpan.FromMilliseconds(500),
    };

    private readonly TestFolder _folder = new();
    private readonly List<string> _told = [];
    private readonly List<string> _sentences = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_host_waits_longer_than_all_steps_of_the_guest_take_together() => Shutdown.Longest.ShouldBeLessThan(new ShutdownLimits().PowerOff);

    [Fact]
    public async Task A_guest_that_accepts_and_ends_needs_nothing_else()
    {
        await using var machine = await MachineAsync("quit");
        (await DescendAsync(machine, Stopped, token => machine.QuitAsync(token))).ShouldBe(Agent);
        _told.ShouldBe([Agent]);
    }

    [Fact]
    public async Task One_whose_agent_does_not_answer_gets_the_power_button()
    {
        await using var machine = await MachineAsync("powerdown");
        (await DescendAsync(machine, Stopped, NeverAsync, Limits with { PowerDown = Eventually.Limit })).ShouldBe(Button);
        _told.ShouldBe([Agent, Button]);
        _sentences[^1].ShouldContain("since power-off by the guest's agent failed: the guest did not accept it within 0.1 s");
    }

    [Fact]
    public async Task One_that_accepts_and_then_hangs_is_ended_over_QMP()
    {
        await using var machine = await MachineAsync("quit");
        (await DescendAsync(machine, Stopped, _ => Task.CompletedTask, Limits with { PowerOff = TimeSpan.FromMilliseconds(200), Quit = Eventually.Limit })).ShouldBe(Quit);
        _told.ShouldBe([Agent, Button, Quit]);
        _sentences[1].ShouldContain("did not end it in time");
    }

    [Fact]
    public async Task A_hypervisor_that_does_not_read_its_control_socket_gets_SIGTERM()
    {
        await using var machine = await MachineAsync("term");
        (await DescendAsync(machine, Stopped, NeverAsync, Limits with { Terminate = Eventually.Limit })).ShouldBe("SIGTERM");
        _told.ShouldBe([Agent, Button, Quit, "SIGTERM"]);
    }

    [Fact]
    public async Task One_that_heeds_nothing_is_killed()
    {
        await using var machine = await MachineAsync();
        (await DescendAsync(machine, Stopped, NeverAsync)).ShouldBe("SIGKILL");
        _told.ShouldBe([Agent, Button, Quit, "SIGTERM", "SIGKILL"]);
        (await machine.Vmm.Exited).Signal.ShouldBe(9);
    }

    [Fact]
    public async Task A_guest_that_hangs_is_not_asked_and_one_whose_agent_is_lost_only_by_the_button()
    {
        await using var machine = await MachineAsync();
        Names(machine, Hung).ShouldBe([Quit, "SIGTERM"]);
        Names(machine, AgentLost).ShouldBe([Button, Quit, "SIGTERM"]);
        Names(machine, Stopped, keeps: false).ShouldBe(["SIGTERM"]);
        Names(machine, new Ending.Lost(new Fault { Code = "network.gvproxy-ended", What = "w", Remedy = "r" }, GuestIsWell: true)).ShouldBe([Agent, Button, Quit, "SIGTERM"]);
    }

    [Fact]
    public async Task Who_is_in_a_hurry_begins_with_the_first_that_does_not_ask_the_guest()
    {
        await using var machine = await MachineAsync("quit");
        using var hurry = new CancellationTokenSource();
        var descent = DescendAsync(machine, Stopped, _ => Task.CompletedTask, Limits with { Quit = Eventually.Limit }, hurry);
        await Eventually.BeTrueAsync(() => _told.Count == 1, "the agent was asked");
        await hurry.CancelAsync();
        (await descent).ShouldBe(Quit);
        _told.ShouldBe([Agent, Quit]);
    }

    [Fact]
    public async Task A_machine_that_is_held_for_want_of_space_is_known_and_goes_on()
    {
        await using var machine = await MachineAsync("nospace");
        await Eventually.BeTrueAsync(() => machine is { WaitsForSpace: true, IsPaused: true }, "it is held");
        await machine.ContinueAsync(Token);
        await Eventually.BeTrueAsync(() => machine is { WaitsForSpace: false, IsPaused: false }, "it goes on");
    }

    private static Ending.Lost Lost(string code) => new(new Fault { Code = code, What = "w", Remedy = "r" });

    private static async Task NeverAsync(CancellationToken cancellationToken) => await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);

    private static string[] Names(Machine machine, Ending ending, bool keeps = true) => [.. MachineLadder.Rungs(machine, ending, keeps, NeverAsync, Limits).Select(rung => rung.Name)];

    private async Task<string?> DescendAsync(Machine machine, Ending ending, Func<CancellationToken, Task> powerOff, ShutdownLimits? limits = null, CancellationTokenSource? hurry = null)
    {
        machine.Leaving = true;
        var rungs = MachineLadder.Rungs(machine, ending, keeps: true, powerOff, limits ?? Limits);
        return (await ShutdownLadder.DescendAsync(machine.Vmm, rungs, _ => { }, (rung, sentence) =>
        {
            _told.Add(rung);
            _sentences.Add(sentence);
        }, hurry?.Token ?? default)).Rung;
    }

    private async Task<Machine> MachineAsync(params string[] heeds)
    {
        if (!File.Exists(Python.Path))
            Assert.Skip($"{Python.Path} is missing (package python3)");
        var config = InstanceDefaults.Fill(new InstanceConfig { Name = "box" }, Made.Host());
        var plan = BootPlanner.Plan(config, Made.Host(), Made.Images, Made.Files("box"), DiskFormat.Qcow2) with { ControlSocket = _folder.File("qmp.sock") };
        var machine = new Machine(
            new LaunchSpec { Title = "QEMU", Program = Python.Path, Arguments = [Path.Combine(AppContext.BaseDirectory, "stand-in-qemu.py"), plan.ControlSocket!, .. heeds], LogFile = _folder.File("log") }, plan);
        await machine.RunningAsync(Token).WaitAsync(Eventually.Limit, Token);
        return machine;
    }
}
