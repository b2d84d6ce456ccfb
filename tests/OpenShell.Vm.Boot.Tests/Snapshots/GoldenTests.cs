using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Readiness;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>Instances that go on from memory: copies of a golden image, and suspended ones.</summary>
public sealed class GoldenTests(GoldenFixture golden) : IClassFixture<GoldenFixture>, IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public async ValueTask InitializeAsync() => await golden.RequireAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Copies_are_whole_clusters_and_strangers_to_one_another()
    {
        var (firstId, firstBytes) = await IsWholeAsync("one");

        // It holds still, so that the other has the processors.
        (await golden.Gateway.RunAsync("pause", "--name", "one")).OrFail();
        var (secondId, secondBytes) = await IsWholeAsync("two");
        secondId.ShouldNotBe(firstId);
        secondBytes.ShouldNotBe(firstBytes);
        await AreStrangersAsync(await golden.StatusAsync("two"));

        (await golden.Gateway.RunAsync("unpause", "--name", "one")).OrFail();
        (await golden.InGuestAsync("one", "cat /etc/machine-id")).ShouldBe(firstId);
        foreach (var name in new[] { "one", "two" })
            (await golden.Gateway.RunAsync("stop", "--name", name, "--force")).OrFail();
    }

    /// <summary>Its node is Ready, a pod becomes Ready, names are found, its clock is right.</summary>
    /// <returns>Its machine's id, and what its kernel gives as randomness.</returns>
    private async Task<(string MachineId, string Random)> IsWholeAsync(string name)
    {
        var status = await golden.ResumeAsync(name);
        Stage(status, "resume").ShouldBe("completed");
        Stage(status, "kernel").ShouldBe("skipped");
        (await ClockDifferenceAsync(name)).ShouldBeLessThan(TimeSpan.FromMilliseconds(50));
        var kubectl = golden.KubectlOf(name);
        await Eventually.HoldsAsync($"{name}: the node is Ready", async () => (await kubectl.TryAsync("get", "nodes", "--no-headers")).Out.Contains(" Ready ", StringComparison.Ordinal), Patience);
        await PodBecomesReadyAsync(kubectl);
        await ControllersWorkAsync(kubectl);
        (await golden.InGuestAsync(name, "busybox nslookup kubernetes.default.svc.cluster.local 10.43.0.10")).ShouldContain("10.43.0.1");
        return (await golden.InGuestAsync(name, "cat /etc/machine-id"), await golden.InGuestAsync(name, "head -c 32 /dev/urandom | od -x"));
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
        (await ClockDifferenceAsync("sleeper")).ShouldBeLessThan(TimeSpan.FromMilliseconds(50));

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
        await PodBecomesReadyAsync(kubectl);
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
        (await ClockDifferenceAsync("weekly")).ShouldBeLessThan(TimeSpan.FromMilliseconds(50));
        var resumed = DateTimeOffset.UtcNow;
        await Eventually.HoldsAsync(
            "the node's lease is renewed, and again",
            async () => DateTimeOffset.TryParse((await kubectl.TryAsync("get", "lease", "-n", "kube-node-lease", "openshell", "-o", "jsonpath={.spec.renewTime}")).Out, CultureInfo.InvariantCulture, out var renewed)
                && renewed > resumed + TimeSpan.FromSeconds(40),
            Patience);
        (await PodAsync(), await NodeAsync()).ShouldBe(before);

        // What was given to them for an hour is void.
        await ControllersWorkAsync(kubectl);
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
            Stage(await golden.ResumeAsync(name), "kernel").ShouldBe("skipped");
            (await golden.InGuestAsync(name, "cat /run/in-memory-only")).Trim().ShouldBe("remembered");
            ids.Add(await golden.InGuestAsync(name, "cat /etc/machine-id"));
            (await golden.KubectlOf(name).RunAsync("get", "nodes", "--no-headers")).ShouldContain("openshell");
            (await golden.Gateway.RunAsync("stop", "--name", name, "--force")).OrFail();
        }

        ids.ShouldBeUnique();
    }

    /// <summary>What one was given does not open the other: neither its API nor its gateway.</summary>
    private async Task AreStrangersAsync(JsonElement two)
    {
        var server = two.GetProperty("apiServer").GetString()!;
        var stolen = Path.Combine(golden.Home.Root, "stolen.yaml");
        var lines = await File.ReadAllLinesAsync(golden.KubeconfigOf("one"), TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(stolen, lines.Select(line => line.Contains("server:", StringComparison.Ordinal) ? $"    server: {server}" : line), TestContext.Current.CancellationToken);
        (await new Kubectl(stolen, golden.Home).TryAsync("--insecure-skip-tls-verify", "get", "nodes")).ExitCode.ShouldNotBe(0);

        var endpoint = new Uri(two.GetProperty("endpoint").GetString()!);
        var (itsCa, itsClient) = Certificates("two");
        var (_, stranger) = Certificates("one");
        (await GrpcHealthClient.CheckAsync(endpoint, itsCa, itsClient, "", TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).ShouldBe(HealthStatus.Serving);
        await Should.ThrowAsync<Exception>(() => GrpcHealthClient.CheckAsync(endpoint, itsCa, stranger, "", TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    private (X509Certificate2 Ca, X509Certificate2 Client) Certificates(string name)
    {
        var folder = golden.MtlsOf(name);
        return (X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(folder, "ca.crt"))), X509Certificate2.CreateFromPemFile(Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key")));
    }

    private static async Task ControllersWorkAsync(Kubectl kubectl)
    {
        await kubectl.RunAsync("create", "namespace", "later");
        await Eventually.HoldsAsync("a new namespace gets its account", async () => (await kubectl.TryAsync("get", "serviceaccount", "-n", "later", "default", "-o", "name")).Out.Contains("default", StringComparison.Ordinal), Patience);
    }

    private static async Task PodBecomesReadyAsync(Kubectl kubectl)
    {
        await kubectl.ApplyAsync("""
            apiVersion: v1
            kind: Pod
            metadata: {name: fresh, namespace: default}
            spec: {containers: [{name: pause, image: localhost/pause:1, imagePullPolicy: Never}]}
            """);
        await kubectl.RunAsync("wait", "-n", "default", "--for=condition=Ready", "pod/fresh", "--timeout=600s");
    }

    /// <summary>By the quickest of several questions: half of its way is how far the two clocks may seem apart.</summary>
    private async Task<TimeSpan> ClockDifferenceAsync(string name)
    {
        var instances = new LocalInstances(new InstancesOptions { Directories = golden.Home.Directories });
        await using var agent = (GuestAgent)await instances.ConnectAsync(name, TestContext.Current.CancellationToken);
        var (best, difference) = (TimeSpan.MaxValue, TimeSpan.MaxValue);
        for (var tries = 0; tries < 20; tries++)
        {
            var began = DateTimeOffset.UtcNow;
            var request = new HostChange { OnlyCompares = true, HostTimeUnixNanoseconds = (began - DateTimeOffset.UnixEpoch).Ticks * 100 };
            var answer = await agent.CallAsync(ServiceNames.HostChanged, JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Default.HostChange), TestContext.Current.CancellationToken);
            var took = DateTimeOffset.UtcNow - began;
            var offset = TimeSpan.FromTicks(JsonSerializer.Deserialize(answer, ProtocolJson.Default.HostChangeReply)!.ClockOffsetNanoseconds!.Value / 100);
            if (took < best)
                (best, difference) = (took, (offset + (took / 2)).Duration());
        }

        return difference - (best / 2) is { Ticks: > 0 } beyond ? beyond : TimeSpan.Zero;
    }

    private static string? Stage(JsonElement status, string name) =>
        status.GetProperty("stages").EnumerateArray().Where(stage => stage.GetProperty("stage").GetString() == name).Select(stage => stage.GetProperty("state").GetString()).LastOrDefault();
}
