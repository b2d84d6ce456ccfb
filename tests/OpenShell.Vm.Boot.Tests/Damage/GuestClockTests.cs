using System.Globalization;
using System.Text.RegularExpressions;
using OpenShell.Vm.Boot.Tests.Cluster;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Damage;

/// <summary>A cluster whose guest's clock is set wrong from within: certificates are not valid yet, until it is noticed.</summary>
public sealed partial class GuestClockTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task A_clock_that_is_set_back_a_year_is_set_right_and_told_and_the_cluster_serves()
    {
        var events = new InstanceEvents(Cluster.Gateway, Cluster.Name);
        var before = await events.CountAsync("clock.jumped");
        await Cluster.ShellAsync("date -s @$(($(date +%s) - 365 * 86400)) > /dev/null");

        ABehindGuest().IsMatch(await events.NextAsync("clock.jumped", before)).ShouldBeTrue();
        var now = long.Parse(await Cluster.ShellAsync("date +%s"), CultureInfo.InvariantCulture);
        (DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeSeconds(now)).Duration().ShouldBeLessThan(TimeSpan.FromMinutes(2));

        await Eventually.HoldsAsync("the API server answers", async () => (await Kubectl.TryAsync("get", "--raw", "/readyz")).ExitCode == 0, Soon);
        await Eventually.HoldsAsync(
            "the node and the gateway are ready",
            async () => (await Kubectl.RunAsync("get", "nodes", "-o", "jsonpath={.items[0].status.conditions[?(@.type=='Ready')].status}")) == "True"
                && (await Kubectl.RunAsync("get", "pods", "-n", "openshell", "-o", "jsonpath={.items[*].status.conditions[?(@.type=='Ready')].status}")) is { Length: > 0 } pods && !pods.Contains("False", StringComparison.Ordinal),
            Soon);
        await Kubectl.RunAsync("create", "configmap", "later", "--from-literal", "is=fine");
        await Kubectl.RunAsync("delete", "configmap", "later");
        (await Cluster.StatusAsync()).GetProperty("phase").GetString().ShouldBe("ready");
    }

    [GeneratedRegex("the guest's clock, 36[45] days behind, was set")]
    private static partial Regex ABehindGuest();
}
