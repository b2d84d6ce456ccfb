using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Readiness;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Boot.Tests.Snapshots;

/// <summary>What must be so of every instance that goes on from memory.</summary>
internal sealed class CopyChecks(GoldenFixture golden)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary>Nobody gets in by what is another's, its node is Ready, a pod becomes Ready, names are found, its clock is right.</summary>
    /// <param name="name">The instance, which is started.</param>
    /// <param name="stranger">What was taken from another one.</param>
    /// <returns>Its machine's id, and what its kernel gave as randomness as soon as it could be asked.</returns>
    internal async Task<(string MachineId, string Random)> IsWholeAsync(string name, Taken? stranger = null)
    {
        var status = await golden.ResumeAsync(name);

        // The first calls that it gets after it was said to be ready: of the golden machine, which it was a moment ago, and of the other one.
        using var before = GoldenClientOf(status);
        await GatewayRefusesAsync(name, status, stranger is null ? [before] : [before, Certificates(stranger.Name).Client]);

        // Before anything has stirred it but what every copy is told.
        var random = await golden.InGuestAsync(name, "head -c 32 /dev/urandom | od -x");
        if (stranger is not null)
            await ApiRefusesAsync(name, status, stranger);
        Stage(status, "resume").ShouldBe("completed");
        Stage(status, "kernel").ShouldBe("skipped");
        (await ClockDifferenceAsync(name)).ShouldBeLessThan(TimeSpan.FromMilliseconds(50));
        var kubectl = golden.KubectlOf(name);
        await Eventually.HoldsAsync($"{name}: the node is Ready", async () => (await kubectl.TryAsync("get", "nodes", "--no-headers")).Out.Contains(" Ready ", StringComparison.Ordinal), Patience);
        await PodBecomesReadyAsync(kubectl);
        await ControllersWorkAsync(kubectl);
        // The answer, and not the server's own address above it, which begins in the same way.
        (await golden.InGuestAsync(name, "busybox nslookup kubernetes.default.svc.cluster.local 10.43.0.10")).Split('\n', StringSplitOptions.TrimEntries).ShouldContain("Address: 10.43.0.1");
        return (await golden.InGuestAsync(name, "cat /etc/machine-id"), random);
    }

    /// <summary>Takes out of an instance that runs what its cluster shares with all copies of it: a token of a service account, and the certificate of a component that may do everything.</summary>
    internal async Task<Taken> TakeAsync(string name)
    {
        var kubectl = golden.KubectlOf(name);
        var secret = (await kubectl.RunAsync("get", "serviceaccounts", "default", "-n", "default", "-o", "jsonpath={.secrets[0].name}")).Trim();
        var token = Encoding.UTF8.GetString(Convert.FromBase64String(await kubectl.RunAsync("get", "secrets", secret, "-n", "default", "-o", "jsonpath={.data.token}")));
        var taken = new Taken(name, token, Path.Combine(golden.Home.Root, $"taken-{name}.crt"), Path.Combine(golden.Home.Root, $"taken-{name}.key"));
        foreach (var (kind, path) in new[] { ("crt", taken.Certificate), ("key", taken.Key) })
            await File.WriteAllTextAsync(path, await golden.InGuestAsync(name, $"cat {GuestPaths.State}/pki/controller-manager.{kind}"), TestContext.Current.CancellationToken);
        return taken;
    }

    /// <summary>Its gateway lets in its owner, and none of the others.</summary>
    private async Task GatewayRefusesAsync(string name, JsonElement status, IEnumerable<X509Certificate2> strangers)
    {
        var endpoint = new Uri(status.GetProperty("endpoint").GetString()!);
        var (ca, own) = Certificates(name);
        foreach (var stranger in strangers)
            (await Should.ThrowAsync<Exception>(() => AskAsync(stranger))).ShouldNotBeOfType<TimeoutException>();

        // Asked in the same way, at the same moment.
        (await AskAsync(own)).ShouldBe(HealthStatus.Serving);

        Task<HealthStatus> AskAsync(X509Certificate2 client) => GrpcHealthClient.CheckAsync(endpoint, ca, client, "", TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    /// <summary>Its API lets in its owner, and nobody by what was given to the other, or taken out of it.</summary>
    private async Task ApiRefusesAsync(string name, JsonElement status, Taken stranger)
    {
        // What everybody may read whom the server knows.
        string[] known = ["get", "--raw", "/api", "--server", status.GetProperty("apiServer").GetString()!, "--insecure-skip-tls-verify=true", "--request-timeout=60s"];
        var nobody = new Kubectl("/dev/null", golden.Home);
        (await golden.KubectlOf(stranger.Name).TryAsync(known)).ExitCode.ShouldNotBe(0, "by the other's kubeconfig");
        (await nobody.TryAsync([.. known, "--client-certificate", stranger.Certificate, "--client-key", stranger.Key])).ExitCode.ShouldNotBe(0, "by the certificate of a component");
        (await nobody.TryAsync([.. known, "--token", stranger.Token])).ExitCode.ShouldNotBe(0, "by a token of a service account");
        (await golden.KubectlOf(name).TryAsync(known)).OrFail();
    }

    private X509Certificate2 GoldenClientOf(JsonElement status)
    {
        var hash = status.GetProperty("cloneOf").GetString()!.Split(' ')[^1];
        return new GoldenStore(golden.Home.Directories).Files(hash).ReadClient().ShouldNotBeNull().OpenClient();
    }

    /// <param name="Name">Whose it is.</param>
    /// <param name="Token">Of a service account.</param>
    /// <param name="Certificate">Where that of a component is.</param>
    /// <param name="Key">And its key.</param>
    internal sealed record Taken(string Name, string Token, string Certificate, string Key);

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
