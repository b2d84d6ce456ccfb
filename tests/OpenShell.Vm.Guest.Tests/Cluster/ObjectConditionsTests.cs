using System.Text.Json;
using OpenShell.Vm.Guest.Cluster.Api;

namespace OpenShell.Vm.Guest.Tests.Cluster;

public sealed class ObjectConditionsTests
{
    [Theory]
    [InlineData("""{"status":{"conditions":[{"type":"Ready","status":"True"}]}}""", true)]
    [InlineData("""{"status":{"conditions":[{"type":"Ready","status":"False"},{"type":"PodScheduled","status":"True"}]}}""", false)]
    [InlineData("""{"status":{"conditions":null}}""", false)]
    [InlineData("{}", false)]
    public void Ready_is_a_condition_that_is_true(string json, bool ready)
    {
        using var item = JsonDocument.Parse(json);
        ObjectConditions.IsReady(item.RootElement).ShouldBe(ready);
    }

    [Theory]
    [InlineData("""{"status":{"containerStatuses":[{"state":{"waiting":{"reason":"ErrImageNeverPull","message":"no such image"}}}]}}""", "ErrImageNeverPull: no such image")]
    [InlineData("""{"status":{"conditions":[{"type":"Initialized","status":"False","reason":"no"},{"type":"PodScheduled","status":"False","reason":"Unschedulable","message":"0/1 nodes"}]}}""", "Unschedulable: 0/1 nodes")]
    [InlineData("""{"status":{"conditions":[{"type":"Ready","status":"False","reason":"KubeletNotReady"}]}}""", "KubeletNotReady")]
    [InlineData("{}", null)]
    public void Why_it_is_not_ready_is_said_in_its_own_words(string json, string? why)
    {
        using var item = JsonDocument.Parse(json);
        ObjectConditions.WhyNotReady(item.RootElement).ShouldBe(why);
    }
}
