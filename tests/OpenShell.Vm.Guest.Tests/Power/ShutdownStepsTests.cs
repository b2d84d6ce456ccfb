using OpenShell.Vm.Guest.Power;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guest.Tests.Services;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Tests.Power;

public sealed class ShutdownStepsTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(1), Short = TimeSpan.FromMilliseconds(50);

    private readonly RecordingReporter _reporter = new();
    private readonly List<string> _done = [];

    [Fact]
    public async Task Steps_are_taken_in_order_and_each_is_told()
    {
        await ShutdownSteps.RunAsync([Step("pods", Long, Task.CompletedTask), Step("disks", Long, Task.CompletedTask)], _reporter);
        _done.ShouldBe(["pods", "disks"]);
        _reporter.Reports.Select(r => (r.Stage, r.State)).ShouldBe(
        [
            ("shutdown/pods", StageState.Started), ("shutdown/pods", StageState.Completed), ("shutdown/disks", StageState.Started), ("shutdown/disks", StageState.Completed),
        ]);
    }

    [Fact(Timeout = 30_000)]
    public async Task One_that_is_never_done_is_done_the_hard_way_and_the_next_is_taken()
    {
        await ShutdownSteps.RunAsync([Step("pods", Short, new TaskCompletionSource().Task), Step("disks", Long, Task.CompletedTask)], _reporter);
        _done.ShouldBe(["pods", "pods the hard way", "disks"]);
        _reporter.Reports.Single(r => r.State == StageState.Failed).ShouldSatisfyAllConditions(
            r => r.Stage.ShouldBe("shutdown/pods"),
            r => r.Detail.ShouldBe("is not done within 0.1 s; it is done the hard way"));
    }

    [Fact(Timeout = 30_000)]
    public async Task One_that_blocks_its_thread_does_not_hold_the_next_up()
    {
        using var never = new ManualResetEventSlim();
        var blocking = new ShutdownStep("disks", Short, () =>
        {
            never.Wait();
            return Task.CompletedTask;
        }, () => _done.Add("the hard way"));
        await ShutdownSteps.RunAsync([blocking], _reporter);
        _done.ShouldBe(["the hard way"]);
        never.Set();
    }

    [Fact]
    public async Task One_that_fails_and_whose_hard_way_fails_too_does_not_keep_the_next_from_being_taken()
    {
        var broken = new ShutdownStep("services", Long, () => Task.FromException(new IOException("broken")), () => throw new IOException("broken as well"));
        await ShutdownSteps.RunAsync([broken, Step("disks", Long, Task.CompletedTask)], _reporter);
        _done.ShouldBe(["disks"]);
        _reporter.Reports.Single(r => r.State == StageState.Failed).Detail!.ShouldContain("failed: broken");
    }

    [Fact]
    public void A_machine_ends_from_what_uses_the_cluster_to_its_disks()
    {
        using var reaper = new ChildReaper(ReaperScope.TrackedOnly);
        Shutdown.Steps(null, reaper).Select(step => step.Name).ShouldBe(["cluster", "pods", "services", "processes", "disks"]);
    }

    [Theory]
    [InlineData("button/power", true)]
    [InlineData("button/sleep", false)]
    [InlineData("", false)]
    public void Only_the_power_button_counts_among_what_ACPI_tells(string device, bool pressed)
    {
        // nlmsghdr and genlmsghdr, then one attribute: class[20], bus[15], a byte of padding, type, data.
        var happened = new byte[20 + 4 + 44];
        BitConverter.TryWriteBytes(happened.AsSpan(20), (ushort)48);
        BitConverter.TryWriteBytes(happened.AsSpan(22), (ushort)1);
        System.Text.Encoding.ASCII.GetBytes(device, happened.AsSpan(24));
        AcpiEvents.IsPowerButton(happened).ShouldBe(pressed);
        AcpiEvents.IsPowerButton(happened.AsSpan(0, 30)).ShouldBeFalse();
        AcpiEvents.GroupIn(happened).ShouldBeNull();
    }

    private ShutdownStep Step(string name, TimeSpan limit, Task work) => new(name, limit, () =>
    {
        _done.Add(name);
        return work;
    }, () => _done.Add(name + " the hard way"));
}
