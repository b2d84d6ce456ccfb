using System.Text;
using System.Text.Json;
using OpenShell.Tests;
using OpenShell.Vm.Boot.Tests.Conformance;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>The life of a cluster from its first start over a killed supervisor, a larger disk and a clone to its end: three starts of a cluster of its own.</summary>
public sealed class InstanceLifeTests : IAsyncLifetime
{
    private const int SigKill = 9;

    private readonly TestHome _home = new();

    private GatewayCli Gateway => new(_home);

    public async ValueTask InitializeAsync()
    {
        await Requirements.SkipUnlessMachinesCanBootAsync();
        Requirements.SkipUnless("kubectl", "kubernetes-client");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var name in (string[])["first", "twin", "sibling"])
            await Gateway.RunAsync("stop", "--force", "--name", name);
        _home.Dispose();
    }

    [Fact]
    public async Task A_cluster_survives_its_supervisor_grows_is_cloned_and_outlived_by_its_clone()
    {
        Requirements.SkipUnlessFull("three starts of a cluster of its own take five minutes: './test --full' has them");
        (await Gateway.StartAsync("up", "--detach", "--name", "first", "--distribution", "upstream", "-p", "0:30080", "--timeout", "30m")).OrFail();
        var first = new Kubectl(Path.Combine(_home.Home, ".kube", "gateway-first.yaml"), _home);
        await first.RunAsync("create", "configmap", "memory", "--from-literal", "of=first");
        var node = await first.RunAsync("get", "nodes", "-o", "jsonpath={.items[0].metadata.uid} {.items[0].metadata.name}");

        // While it runs: it is edited and grown for the next start, and gives back what it does not use.
        (await Gateway.RunAsync("edit", "--name", "first", "--mem", "3g")).Err.ShouldContain("goes on as it is until its next start");
        (await Gateway.RunAsync("disk", "resize", "--name", "first", "24")).Err.ShouldContain("will have 24 GiB at its next start");
        (await ExecAsync("first", "dd if=/dev/urandom of=/var/lib/openshell/ballast bs=1M count=200 status=none; sync; rm /var/lib/openshell/ballast; sync")).OrFail();
        var before = await DiskAsync("first");
        (await Gateway.RunAsync("disk", "compact", "--name", "first")).OrFail();
        var after = await DiskAsync("first");
        after.GetProperty("allocated").GetInt64().ShouldBeLessThan(before.GetProperty("allocated").GetInt64() - (100 << 20));
        after.GetProperty("used").GetInt64().ShouldBeGreaterThan(0);

        // Cloned while it runs, it is held for a moment and goes on; the clone comes and goes without it.
        (await Gateway.StartAsync("clone", "first", "sibling")).OrFail();
        (await StatusAsync("first")).GetProperty("phase").GetString().ShouldBe("ready");
        (await first.RunAsync("get", "configmap", "memory", "-o", "jsonpath={.data.of}")).ShouldBe("first");
        (await StatusAsync("sibling")).GetProperty("cloneOf").GetString().ShouldBe("first");
        (await Gateway.RunAsync("delete", "--name", "sibling")).OrFail();

        // Its supervisor is killed: no machine stays, the next start begins where the last write was synced.
        var supervisor = (await StatusAsync("first")).GetProperty("processes").GetProperty("supervisor").GetProperty("pid").GetInt32();
        LibC.Kill(supervisor, SigKill).ShouldBe(0);
        await Eventually.HoldsAsync("the supervisor's end is told", async () => (await StatusAsync("first")).GetProperty("phase").GetString() == "failed", TimeSpan.FromMinutes(1));
        await Eventually.HoldsAsync("no machine stays", () => Task.FromResult(Leftovers.ProcessesOf(_home).Count == 0), TimeSpan.FromMinutes(1));
        (await Gateway.StartAsync("up", "--detach", "--name", "first", "--timeout", "30m")).OrFail();

        var status = await StatusAsync("first");
        (status.GetProperty("memoryMib").GetInt32(), status.GetProperty("distribution").GetString()).ShouldBe((3072, "upstream"));
        status.GetProperty("ports").EnumerateArray().ShouldContain(p => p.GetProperty("guestPort").GetInt32() == 30080);
        (await first.RunAsync("get", "configmap", "memory", "-o", "jsonpath={.data.of}")).ShouldBe("first");
        long.Parse((await ExecAsync("first", "stat -f -c '%b*%S' /var/lib/openshell | (IFS='*'; read a b; echo $((a * b >> 30)))")).OrFail(), System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThan(20);
        var machine = (await ExecAsync("first", "cat /etc/machine-id")).OrFail();
        var authority = await File.ReadAllTextAsync(Authority("first"), TestContext.Current.CancellationToken);
        var kept = Path.Combine(_home.Home, "kept.yaml");
        File.Copy(first.Kubeconfig, kept);
        (await Gateway.RunAsync("stop", "--name", "first")).OrFail();

        // A clone: the same cluster under another name, and what must be its own.
        (await Gateway.RunAsync("clone", "first", "twin")).OrFail();
        var refused = await Gateway.RunAsync("delete", "--name", "first");
        (refused.ExitCode, refused.Err).ShouldSatisfyAllConditions(r => r.ExitCode.ShouldBe(1), r => r.Err.ShouldContain("twin"));
        (await Gateway.RunAsync("delete", "--name", "first", "--flatten")).OrFail();
        (await Gateway.StartAsync("up", "--detach", "--name", "twin", "--timeout", "30m")).OrFail();

        var twin = new Kubectl(Path.Combine(_home.Home, ".kube", "gateway-twin.yaml"), _home);
        (await twin.RunAsync("get", "configmap", "memory", "-o", "jsonpath={.data.of}")).ShouldBe("first");
        (await twin.RunAsync("get", "nodes", "-o", "jsonpath={.items[*].metadata.uid} {.items[*].metadata.name}")).ShouldBe(node);
        (await StatusAsync("twin")).GetProperty("cloneOf").GetString().ShouldBe("first");
        (await ExecAsync("twin", "cat /etc/machine-id")).OrFail().ShouldNotBe(machine);
        (await File.ReadAllTextAsync(Authority("twin"), TestContext.Current.CancellationToken)).ShouldNotBe(authority);

        // Who administers the source does not administer the clone: neither by the certificate nor, without one, by a token of the cluster that both are.
        var server = await twin.RunAsync("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}");
        // Asked for what everybody may read whom the server knows.
        string[] known = ["get", "--raw", "/api", "--server", server, "--insecure-skip-tls-verify=true", "--request-timeout=30s"];
        (await twin.TryAsync(known)).OrFail();
        (await new Kubectl(kept, _home).TryAsync(known)).ExitCode.ShouldNotBe(0);
        var secret = (await twin.RunAsync("get", "serviceaccounts", "default", "-o", "jsonpath={.secrets[0].name}")).Trim();
        var token = Encoding.UTF8.GetString(Convert.FromBase64String(await twin.RunAsync("get", "secrets", secret, "-o", "jsonpath={.data.token}")));
        (await new Kubectl("/dev/null", _home).TryAsync([.. known, "--token", token])).ExitCode.ShouldNotBe(0);

        // What streams passes the front. The gateway's log is empty while there is nothing to complain of; what its program says is not.
        await twin.In("openshell").RunAsync("logs", "openshell-gateway-0");
        (await twin.In("openshell").RunAsync("exec", "openshell-gateway-0", "--", "/openshell-gateway", "--version")).ShouldMatch(@"^\d+\.\d+\.\d+");
        (await Gateway.RunAsync("stop", "--name", "twin")).OrFail();
        Leftovers.Of(_home).ShouldBeEmpty();
    }

    private Task<Finished> ExecAsync(string name, string script) => Gateway.RunAsync("exec", "--name", name, "--", "sh", "-c", script);

    private string Authority(string name) => Path.Combine(_home.Config, "openshell", "gateways", "openshell-vm-" + name, "mtls", "ca.crt");

    private async Task<JsonElement> DiskAsync(string name) => (await JsonAsync("disk", "--name", name))[0];

    private Task<JsonElement> StatusAsync(string name) => JsonAsync("status", "--name", name);

    private async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var run = await Gateway.RunAsync([.. arguments, "--output", "json"]);
        using var json = JsonDocument.Parse(run.OrFail());
        return json.RootElement.Clone();
    }
}
