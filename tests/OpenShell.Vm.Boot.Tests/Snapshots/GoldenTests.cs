using System.Globalization;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>Instances that go on from memory: copies of a golden image, and suspended ones.</summary>
public sealed class GoldenTests(GoldenFixture golden) : IClassFixture<GoldenFixture>, IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    private readonly CopyChecks _checks = new(golden);

    public async ValueTask InitializeAsync() => await golden.RequireAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Copies_are_whole_clusters_and_strangers_to_one_another()
    {
        var (firstId, firstBytes) = await _checks.IsWholeAsync("one");
        var taken = await _checks.TakeAsync("one");

        // It holds still, so that the other has the processors.
        (await golden.Gateway.RunAsync("pause", "--name", "one")).OrFail();
        var (secondId, secondBytes) = await _checks.IsWholeAsync("two", taken);
        secondId.ShouldNotBe(firstId);
        secondBytes.ShouldNotBe(firstBytes);

        (await golden.Gateway.RunAsync("unpause", "--name", "one")).OrFail();
        (await golden.InGuestAsync("one", "cat /etc/machine-id")).ShouldBe(firstId);
        foreach (var name in new[] { "one", "two" })
            (await golden.Gateway.RunAsync("stop", "--name", name, "--force")).OrFail();
    }

    [Fact]
    public async Task A_suspended_instance_goes_on_where_it_was()
    {
        await golden.ResumeAsync("sleeper");
        await golden.InGuestAsync("sleeper", "echo remembered > /run/in-memory-only");

        (await golden.Gateway.RunAsync("suspend", "--name", "sleeper")).OrFail();
        (await golden.StatusAsync("sleeper")).GetProperty("phase").GetString().ShouldBe("suspended");
        Leftovers.Of(golden.Home).Where(left => left.Contains("sleeper", StringComparison.Ordinal)).ShouldBeEmpty();
        var memory = Path.Combine(golden.Home.Data, "openshell-vm", "instances", "sleeper", "memory");
        Directory.Exists(memory).ShouldBeTrue();

        await golden.ResumeAsync("sleeper");
        (await golden.InGuestAsync("sleeper", "cat /run/in-memory-only")).Trim().ShouldBe("remembered");
        Directory.Exists(memory).ShouldBeFalse("its memory is used up by going on from it");
        (await _checks.ClockDifferenceAsync("sleeper")).ShouldBeLessThan(TimeSpan.FromMilliseconds(50));

        (await golden.Gateway.RunAsync("pause", "--name", "sleeper")).OrFail();
        (await golden.StatusAsync("sleeper")).GetProperty("phase").GetString().ShouldBe("paused");
        (await golden.Gateway.RunAsync("unpause", "--name", "sleeper")).OrFail();
        (await golden.InGuestAsync("sleeper", "cat /run/in-memory-only")).Trim().ShouldBe("remembered");
        (await golden.Gateway.RunAsync("stop", "--name", "sleeper", "--force")).OrFail();
    }

    /// <summary>The guest's clock is set back before it is saved: to its programs that is a week which has passed when they go on.</summary>
    [Fact]
    public async Task A_week_asleep_loses_no_node_and_no_pod()
    {
        await golden.ResumeAsync("weekly");
        var kubectl = golden.KubectlOf("weekly");
        await CopyChecks.PodBecomesReadyAsync(kubectl);
        const string Pod = "{.metadata.uid} {.status.conditions[?(@.type=='Ready')].status}", Node = "{.status.conditions[?(@.type=='Ready')]['status','lastTransitionTime']}";
        var before = (await PodAsync(), await NodeAsync());

        // The supervisor puts the clock right every twenty seconds: now and then that comes in between.
        var log = Path.Combine(golden.Home.Data, "openshell-vm", "instances", "weekly", "supervisor.log");
        for (var tries = 0; tries == 0 || (tries < 4 && !File.ReadAllText(log).Contains("its clock was 6048", StringComparison.Ordinal)); tries++)
        {
            await golden.InGuestAsync("weekly", "date -s @$(($(date +%s) - 604800))");
            (await golden.Gateway.RunAsync("suspend", "--name", "weekly")).OrFail();
            await golden.ResumeAsync("weekly");
        }

        File.ReadAllText(log).ShouldContain("its clock was 6048");
        (await _checks.ClockDifferenceAsync("weekly")).ShouldBeLessThan(TimeSpan.FromMilliseconds(50));
        var resumed = DateTimeOffset.UtcNow;
        await Eventually.HoldsAsync(
            "the node's lease is renewed, and again",
            async () => DateTimeOffset.TryParse((await kubectl.TryAsync("get", "lease", "-n", "kube-node-lease", "openshell", "-o", "jsonpath={.spec.renewTime}")).Out, CultureInfo.InvariantCulture, out var renewed)
                && renewed > resumed + TimeSpan.FromSeconds(40),
            Patience);
        (await PodAsync(), await NodeAsync()).ShouldBe(before);

        // What was given to them for an hour is void.
        await CopyChecks.ControllersWorkAsync(kubectl);
        (await golden.Gateway.RunAsync("stop", "--name", "weekly", "--force")).OrFail();

        Task<string> PodAsync() => kubectl.RunAsync("get", "pod", "-n", "default", "fresh", "-o", "jsonpath=" + Pod);

        Task<string> NodeAsync() => kubectl.RunAsync("get", "node", "openshell", "-o", "jsonpath=" + Node);
    }

    [Fact]
    public async Task Clones_of_a_running_instance_go_on_from_its_memory_and_it_goes_on_itself()
    {
        await golden.ResumeAsync("original");
        await golden.InGuestAsync("original", "echo remembered > /run/in-memory-only");
        var ids = new List<string> { await golden.InGuestAsync("original", "cat /etc/machine-id") };

        (await golden.Gateway.StartAsync("clone", "original", "twin", "--count", "2")).OrFail();

        (await golden.StatusAsync("original")).GetProperty("phase").GetString().ShouldBe("ready");
        (await golden.InGuestAsync("original", "cat /run/in-memory-only")).Trim().ShouldBe("remembered");
        (await golden.InGuestAsync("original", "cat /etc/machine-id")).ShouldBe(ids[0]);
        (await golden.Gateway.RunAsync("stop", "--name", "original", "--force")).OrFail();
        foreach (var name in new[] { "twin-1", "twin-2" })
        {
            (await golden.StatusAsync(name)).GetProperty("phase").GetString().ShouldBe("suspended");
            CopyChecks.Stage(await golden.ResumeAsync(name), "kernel").ShouldBe("skipped");
            (await golden.InGuestAsync(name, "cat /run/in-memory-only")).Trim().ShouldBe("remembered");
            ids.Add(await golden.InGuestAsync(name, "cat /etc/machine-id"));
            (await golden.KubectlOf(name).RunAsync("get", "nodes", "--no-headers")).ShouldContain("openshell");
            (await golden.Gateway.RunAsync("stop", "--name", name, "--force")).OrFail();
        }

        ids.ShouldBeUnique();
    }

}
