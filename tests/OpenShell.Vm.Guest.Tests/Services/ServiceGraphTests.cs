using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Services;

namespace OpenShell.Vm.Guest.Tests.Services;

public sealed class ServiceGraphTests
{
    [Fact]
    public void The_real_cluster_has_no_mistakes() => ServiceGraph.Check(UpstreamDistribution.Services(new ClusterNode("gw", "192.168.127.2")));

    [Fact]
    public void Services_that_wait_for_one_another_are_named_with_their_circle() =>
        Should.Throw<ArgumentException>(() => ServiceGraph.Check([Named("a", "b"), Named("b", "c"), Named("c", "a")])).Message.ShouldContain("a -> b -> c -> a");

    [Fact]
    public void A_service_that_waits_for_nobody_real_is_a_mistake() =>
        Should.Throw<ArgumentException>(() => ServiceGraph.Check([Named("a", "b")])).Message.ShouldContain("a waits for b, which does not exist");

    [Fact]
    public void Two_of_a_name_are_a_mistake() => Should.Throw<ArgumentException>(() => ServiceGraph.Check([Named("a"), Named("a")]));

    private static Service Named(string name, params string[] needs) =>
        new() { Name = name, Command = ["/bin/true"], StopOrder = 0, Conditions = [.. needs.Select(n => new Condition.Healthy(n))] };
}
