using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Readiness;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Tests.Readiness;

public sealed class ReadinessGatesTests
{
    [Fact]
    public void Every_gate_is_a_stage_and_says_what_it_waits_for_and_what_to_do()
    {
        ReadinessGates.Cluster.ShouldAllBe(g => BootStages.All.Contains(g.Stage) && g.WaitsFor.Length > 0 && g.Hint.Contains('\''));
        ReadinessGates.Cluster.ShouldAllBe(g => g.EmulatedBudget > g.Budget);
    }

    [Fact]
    public void The_first_gate_that_is_not_passed_is_the_one_that_is_waited_for()
    {
        StageTime[] stages = [Done("kernel", 1, 2), Done("init", 3, 1), Begun("services", 4), Begun("gateway", 5)];
        var (gate, since) = ReadinessGates.Current(stages).ShouldNotBeNull();
        gate.Stage.ShouldBe("services");
        since.ShouldBe(Seconds(4));
    }

    [Fact]
    public void A_gate_is_overdue_when_its_budget_has_passed_since_the_one_before()
    {
        StageTime[] stages = [Done("kernel", 1, 2), Begun("init", 3)];
        var budget = ReadinessGates.Cluster[0].Budget;
        ReadinessGates.Overdue(stages, Seconds(3) + budget, emulated: false, patience: 1).ShouldBeNull();
        ReadinessGates.Overdue(stages, Seconds(4) + budget, emulated: false, patience: 1).ShouldNotBeNull().Stage.ShouldBe("init");
        ReadinessGates.Overdue(stages, Seconds(4) + budget, emulated: true, patience: 1).ShouldBeNull();
        ReadinessGates.Overdue(stages, Seconds(4) + budget, emulated: false, patience: 2).ShouldBeNull();
    }

    [Fact]
    public void Nothing_is_waited_for_when_all_are_passed() =>
        ReadinessGates.Current([Done("kernel", 0, 1), .. ReadinessGates.Cluster.Select(g => Done(g.Stage, 1, 1))]).ShouldBeNull();

    private static StageTime Done(string stage, double start, double duration) => new(stage, Seconds(start), Seconds(duration), StageState.Completed, null);

    private static StageTime Begun(string stage, double start) => new(stage, Seconds(start), null, StageState.Started, null);

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
