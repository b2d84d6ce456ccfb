using OpenShell.Tests.Timing;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Supervision;

namespace OpenShell.Vm.Tests.Supervision;

public sealed class RestartRuleTests
{
    private static readonly Ending Lost = new Ending.Lost(new Fault { Code = "guest.panicked", What = "w", Remedy = "r" }), PoweredOff = new Ending.PoweredOff(), Stopped = new Ending.Stopped("a client");

    private readonly ManualTime _time = new();

    private DateTimeOffset Now => _time.GetUtcNow();

    [Fact]
    public void Each_policy_starts_again_what_it_says_and_never_what_was_stopped()
    {
        Again(RestartPolicies.No).ShouldBe((false, false, false));
        Again(RestartPolicies.OnFailure).ShouldBe((true, false, false));
        Again(RestartPolicies.Always).ShouldBe((true, true, false));

        (bool, bool, bool) Again(string policy) =>
            (Rule(policy).After(Lost, Now) is not null, Rule(policy).After(PoweredOff, Now) is not null, Rule(policy).After(Stopped, Now) is not null);
    }

    [Fact]
    public void A_first_start_that_fails_is_told_and_a_later_one_is_tried_again()
    {
        Rule(RestartPolicies.Always).After(Lost, null).ShouldBeNull();
        Rule(RestartPolicies.Always).Next(Now).After(Lost, null).ShouldNotBeNull();
    }

    [Fact]
    public void Pauses_double_up_to_the_longest_and_begin_anew_after_a_run_that_went_well()
    {
        var rule = Rule(RestartPolicies.OnFailure);
        var pauses = new List<double>();
        for (var run = 0; run < 12; run++)
        {
            pauses.Add(rule.After(Lost, Now).ShouldNotBeNull().TotalSeconds);
            rule = rule.Next(Now);
        }

        pauses.ShouldBe([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        rule.Restarts.ShouldBe(12);
        rule.After(Lost, Now - Backoff.Machine.ForgetAfter).ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void The_policy_of_the_moment_counts()
    {
        var policy = RestartPolicies.No;
        var rule = new RestartRule(() => policy, Backoff.Machine, _time);
        rule.After(Lost, Now).ShouldBeNull();
        policy = RestartPolicies.OnFailure;
        rule.After(Lost, Now).ShouldNotBeNull();
    }

    private RestartRule Rule(string policy) => new(() => policy, Backoff.Machine, _time);
}
