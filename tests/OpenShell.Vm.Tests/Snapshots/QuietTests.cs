using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Tests.Snapshots;

public sealed class QuietTests
{
    [Fact]
    public void A_machine_that_takes_less_from_look_to_look_has_not_settled() =>
        Supervisor.HasSettled([2, 2, 2, 1.9, 1.8, 1.6, 1.5, 1.4, 1.2, 1.0]).ShouldBeFalse();

    [Fact]
    public void One_that_takes_as_much_as_a_moment_ago_has() =>
        Supervisor.HasSettled([2, 2, 0.5, 0.4, 0.45, 0.5, 0.4, 0.5, 0.4, 0.45, 0.5, 0.45]).ShouldBeTrue();

    [Fact]
    public void One_that_works_at_full_speed_all_the_time_has_not() => Supervisor.HasSettled([.. Enumerable.Repeat(2.0, 20)]).ShouldBeFalse();

    [Fact]
    public void A_few_looks_say_nothing() => Supervisor.HasSettled([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]).ShouldBeFalse();
}
