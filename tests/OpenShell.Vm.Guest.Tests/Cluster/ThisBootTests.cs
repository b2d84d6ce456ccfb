using System.Text.Json;
using OpenShell.Vm.Guest.Cluster.Api;

namespace OpenShell.Vm.Guest.Tests.Cluster;

public sealed class ThisBootTests
{
    private static readonly ThisBoot Boot = new("b2", DateTimeOffset.Parse("2026-01-01T12:00:00.5Z", System.Globalization.CultureInfo.InvariantCulture));

    [Theory]
    [InlineData("b2", "True", true)]
    [InlineData("b2", "False", false)]
    [InlineData("b1", "True", false)]
    public void A_node_is_ready_only_when_the_kubelet_of_this_boot_says_so(string boot, string ready, bool expected)
    {
        using var node = JsonDocument.Parse($$$"""{"status":{"nodeInfo":{"bootID":"{{{boot}}}"},"conditions":[{"type":"Ready","status":"{{{ready}}}"}]}}""");
        Boot.IsNodeReady(node.RootElement).ShouldBe(expected);
    }

    [Theory]
    [InlineData("{\"running\":{\"startedAt\":\"2026-01-01T12:00:10Z\"}}", true)]
    [InlineData("{\"running\":{\"startedAt\":\"2026-01-01T12:00:00Z\"}}", true)]
    [InlineData("{\"running\":{\"startedAt\":\"2026-01-01T11:50:00Z\"}}", false)]
    [InlineData("{\"terminated\":{\"exitCode\":0}}", false)]
    public void A_pod_of_the_last_boot_is_not_ready_whatever_the_database_says(string state, bool expected)
    {
        using var pod = JsonDocument.Parse($$$"""{"status":{"conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"state":{{{state}}}}]}}""");
        Boot.IsPodReady(pod.RootElement).ShouldBe(expected);
    }
}
