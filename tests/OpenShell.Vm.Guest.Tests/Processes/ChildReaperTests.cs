using OpenShell.Vm.Guest.Processes;

namespace OpenShell.Vm.Guest.Tests.Processes;

public sealed class ChildReaperTests : IDisposable
{
    // Not all children: the runner may have its own. tests/OpenShell.Vm.Tests/Guests/PidOneTests has all.
    private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);
    private readonly ProcessLauncher _launcher;

    public ChildReaperTests() => _launcher = new ProcessLauncher(_reaper);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _reaper.Dispose();

    [Fact(Timeout = 30_000)]
    public async Task Children_that_end_at_once_are_never_missed()
    {
        var exits = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(() => _launcher.Start(new SpawnSpec { Program = "true" }).Exit, Token)));

        exits.ShouldAllBe(exit => exit.IsSuccess);
    }

    [Theory(Timeout = 30_000)]
    [InlineData("exit 0", 0, 0, 0)]
    [InlineData("exit 255", 255, 0, 255)]
    [InlineData("kill -9 $$", 0, 9, 137)]
    [InlineData("ulimit -c 0; kill -ABRT $$", 0, 6, 134)]
    public async Task The_status_tells_codes_and_signals_apart(string script, int code, int signal, int shellCode)
    {
        var status = await _launcher.Start(Shell(script)).Exit.WaitAsync(Token);

        status.ShouldBe(new ExitStatus(code, signal));
        status.ShellCode.ShouldBe(shellCode);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_child_that_stops_and_goes_on_has_not_ended()
    {
        var child = _launcher.Start(Shell("kill -STOP $$; exit 3"));
        while (!File.ReadAllText($"/proc/{child.Pid}/stat").Contains(") T ", StringComparison.Ordinal))
            await Task.Delay(5, Token);
        child.Exit.IsCompleted.ShouldBeFalse();

        child.Signal(18).ShouldBeTrue();

        (await child.Exit.WaitAsync(Token)).Code.ShouldBe(3);
    }

    [Fact(Timeout = 30_000)]
    public async Task Signals_reach_a_child_until_it_was_reaped_and_never_whoever_gets_its_number()
    {
        var child = _launcher.Start(new SpawnSpec { Program = "sleep", Arguments = ["1000"] });

        child.Signal(0).ShouldBeTrue();
        child.SignalGroup(15).ShouldBeTrue();
        (await child.Exit.WaitAsync(Token)).Signal.ShouldBe(15);
        child.Signal(15).ShouldBeFalse();
        child.SignalGroup(9).ShouldBeFalse();
    }

    [Fact]
    public void Only_a_reaper_of_all_children_knows_when_there_is_none() => Should.Throw<InvalidOperationException>(() => _reaper.WhenChildless());

    private static SpawnSpec Shell(string script) => new() { Program = "/bin/sh", Arguments = ["-c", script] };
}
