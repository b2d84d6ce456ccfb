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

/// <summary>What must be so of every instance that goes on from memory.</summary>
internal sealed class CopyChecks(GoldenFixture golden)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Its node is Ready, a pod becomes Ready, names are found, its clock is right.</summary>
    /// <returns>Its machine's id, and what its kernel gives as randomness.</returns>
    internal async Task<(string MachineId, string Random)> IsWholeAsync(string name)
    {
        var status = await golden.ResumeAsync(name);
        Stage(status, "resume").ShouldBe("completed");
        Stage(status, "kernel").ShouldBe("skipped");
        (await ClockDifferenceAsync(name)).ShouldBeLessThan(TimeSpan.FromMilliseconds(50));
        var kubectl = golden.KubectlOf(name);
        await Eventually.HoldsAsync($"{name}: the node is Ready", async () => (await kubectl.TryAsync("get", "nodes", "--no-headers")).Out.Contains(" Ready ", StringComparison.Ordinal), Patience);
        await PodBecomesReadyAsync(kubectl);
        await ControllersWorkAsync(kubectl);
        // The answer, and not the server's own address above it, which begins in the same way.
        (await golden.InGuestAsync(name, "busybox nslookup kubernetes.default.svc.cluster.local 10.43.0.10")).Split('\n', StringSplitOptions.TrimEntries).ShouldContain("Address: 10.43.0.1");
        return (await golden.InGuestAsync(name, "cat /etc/machine-id"), await golden.InGuestAsync(name, "head -c 32 /dev/urandom | od -x"));
    }

    /// <summary>What one was given does not open the other: neither its API nor its gateway.</summary>
    internal async Task AreStrangersAsync(string first, string second)
    {
        var two = await golden.StatusAsync(second);
        var server = two.GetProperty("apiServer").GetString()!;
        var stolen = Path.Combine(golden.Home.Root, "stolen.yaml");
        var lines = await File.ReadAllLinesAsync(golden.KubeconfigOf(first), TestContext.Current.CancellationToken);
        await File.WriteAllLinesAsync(stolen, lines.Select(line => line.Contains("server:", StringComparison.Ordinal) ? $"    server: {server}" : line), TestContext.Current.CancellationToken);

        // Its own let their owner in at the same moment, asked in the same way.
        (await golden.KubectlOf(second).TryAsync("--insecure-skip-tls-verify", "get", "nodes")).OrFail();
        (await new Kubectl(stolen, golden.Home).TryAsync("--insecure-skip-tls-verify", "get", "nodes")).ExitCode.ShouldNotBe(0);

        var endpoint = new Uri(two.GetProperty("endpoint").GetString()!);
        var (itsCa, itsClient) = Certificates(second);
        var (_, stranger) = Certificates(first);
        (await GrpcHealthClient.CheckAsync(endpoint, itsCa, itsClient, "", TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken)).ShouldBe(HealthStatus.Serving);
        await Should.ThrowAsync<Exception>(() => GrpcHealthClient.CheckAsync(endpoint, itsCa, stranger, "", TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    private (X509Certificate2 Ca, X509Certificate2 Client) Certificates(string name)
    {
        var folder = golden.MtlsOf(name);
        return (X509Certificate2.CreateFromPem(File.ReadAllText(Path.Combine(folder, "ca.crt"))), X509Certificate2.CreateFromPemFile(Path.Combine(folder, "tls.crt"), Path.Combine(folder, "tls.key")));
    }

    internal static async Task ControllersWorkAsync(Kubectl kubectl)
    {
        await kubectl.RunAsync("create", "namespace", "later");
        await Eventually.HoldsAsync("a new namespace gets its account", async () => (await kubectl.TryAsync("get", "serviceaccount", "-n", "later", "default", "-o", "name")).Out.Contains("default", StringComparison.Ordinal), Patience);
    }

    internal static async Task PodBecomesReadyAsync(Kubectl kubectl)
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
    internal async Task<TimeSpan> ClockDifferenceAsync(string name)
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

    internal static string? Stage(JsonElement status, string name) =>
        status.GetProperty("stages").EnumerateArray().Where(stage => stage.GetProperty("stage").GetString() == name).Select(stage => stage.GetProperty("state").GetString()).LastOrDefault();
}
