using System.Formats.Tar;
using System.Text.Json;
using OpenShell.Tests;
using OpenShell.Vm.Boot.Tests.K3s;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Bundles;

/// <summary>A cluster from a bundle where there is no network: a machine of its own, since its image cache is empty and its namespace has no interface.</summary>
[CollectionDefinition(Name)]
public sealed class AirGap
{
    public const string Name = "air-gap";
}

[Collection(AirGap.Name)]
public sealed class AirGapTests : IAsyncLifetime
{
    private const string Instance = "bundle-air";

    // grpc.health.v1.Health/Check, whose answer {status: SERVING} is these two bytes.
    private const string AskHealth = """
        import grpc, sys
        read = lambda name: open(sys.argv[2] + '/' + name, 'rb').read()
        credentials = grpc.ssl_channel_credentials(read('ca.crt'), read('tls.key'), read('tls.crt'))
        with grpc.secure_channel(sys.argv[1], credentials) as channel:
            print(channel.unary_unary('/grpc.health.v1.Health/Check')(b'', timeout=20).hex())
        """;

    private readonly TestHome _home = new();
    private readonly Dictionary<string, string?> _environment;
    private string? _command;

    public AirGapTests() => _environment = new Dictionary<string, string?>(_home.Environment) { ["XDG_CACHE_HOME"] = InHome("cache"), ["OPENSHELL_VM_SOURCE"] = null, ["no_proxy"] = "*" };

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_command is not null)
        {
            await HostProgram.RunAsync(_command, ["stop", "--name", Instance], GatewayCli.Short, _environment);
            await HostProgram.RunAsync(_command, ["delete", "--name", Instance], GatewayCli.Short, _environment);
        }

        // Artifacts are read-only; their folders are not.
        _home.Dispose();
    }

    [Theory]
    [InlineData("upstream")]
    [InlineData("k3s")]
    public async Task A_bundle_starts_a_cluster_with_an_empty_cache_and_no_network_at_all(string distribution)
    {
        if (distribution == "k3s")
            Requirements.SkipUnlessFull();
        await Requirements.SkipUnlessMachinesCanBootAsync();
        foreach (var (program, package) in new[] { ("unshare", "util-linux"), ("nsenter", "util-linux"), ("ip", "iproute2"), ("kubectl", "kubernetes-client") })
            Requirements.SkipUnless(program, package);
        Python.SkipUnlessGrpc();

        // With a network, from the cache that there is: the bundle, and what it says of itself.
        var bundle = InHome("cluster.bundle");
        await File.WriteAllTextAsync(InHome("carried.yaml"), "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: carried\n  namespace: default\ndata:\n  by: the bundle\n", TestContext.Current.CancellationToken);
        string[] given = distribution == "k3s" ? ["--k3s-binary", K3sProgram.Real ?? await K3sProgram.StandInAsync()] : [];
        var made = await new GatewayCli(_home).StartAsync(["bundle", "create", bundle, "--distribution", distribution, .. given, "--manifests", InHome("carried.yaml"), "--output", "json"]);
        var digest = Json(made).GetProperty("digest").GetString();
        Json(await new GatewayCli(_home).RunAsync("bundle", "verify", bundle, "--output", "json")).GetProperty("digest").GetString().ShouldBe(digest);
        await DamageIsFoundAsync(bundle);
        CheckBill(Json(await new GatewayCli(_home).RunAsync("bundle", "sbom", bundle)), distribution == "k3s" ? ["k3s"] : ["containerd", "etcd-server", "kubernetes"]);

        // From here on only the bundle: the command is the one that it carries, in a folder that is no source tree.
        (await HostProgram.RunAsync("tar", ["-xf", bundle, "-C", _home.Root, "command"], GatewayCli.Short)).OrFail();
        _command = InHome("command/gateway");
        var up = await NoNetwork.RunAsync(_environment, GatewayCli.Long, _command, "up", "--bundle", bundle, "--name", Instance, "--detach", "--timeout", "20m", "--output", "json");
        var status = Json(up);
        status.GetProperty("ready").GetBoolean().ShouldBeTrue();
        status.GetProperty("bundle").GetString().ShouldBe(digest);
        status.GetProperty("distribution").GetString().ShouldBe(distribution);
        status.GetProperty("distributionVersion").GetString().ShouldStartWith(distribution == "k3s" ? "k3s" : "Kubernetes 1.");
        var supervisor = status.GetProperty("processes").GetProperty("supervisor").GetProperty("pid").GetInt32();

        var interfaces = (await JoinAsync(supervisor, "cat", "/proc/net/dev")).OrFail().Split('\n').Where(l => l.Contains(':', StringComparison.Ordinal)).Select(l => l.Split(':')[0].Trim());
        interfaces.ShouldBe(["lo"]);
        (await JoinAsync(supervisor, "cat", "/proc/net/route")).OrFail().Trim().Split('\n').Length.ShouldBe(1, "there is no route but the table's headline");

        var mtls = Path.Combine(_home.Config, "openshell", "gateways", "openshell-vm-" + Instance, "mtls");
        var endpoint = new Uri(status.GetProperty("endpoint").GetString()!);
        (await JoinAsync(supervisor, Python.Path, "-c", AskHealth, endpoint.Authority, mtls)).OrFail().Trim().ShouldBe("0801");
        var kubeconfig = status.GetProperty("kubeconfig").GetString()!;
        await Eventually.HoldsAsync(
            "the manifest of the bundle is applied",
            async () => (await JoinAsync(supervisor, "kubectl", "--kubeconfig", kubeconfig, "get", "configmap", "carried", "-o", "jsonpath={.data.by}")).Out == "the bundle",
            TimeSpan.FromMinutes(2));

        // What runs is what the bundle brought: the image's files are below the cache that was empty, and nothing was fetched or compiled there.
        var log = await File.ReadAllTextAsync(Path.Combine(_home.Data, "openshell-vm", "instances", Instance, "supervisor.log"), TestContext.Current.CancellationToken);
        foreach (var (part, kind) in new[] { ("gvproxy", "gvproxy"), ("kernel", "kernel"), ("initramfs", "initramfs"), ("root", distribution == "k3s" ? "root-k3s" : "root") })
            log.ShouldMatch($@"runtime: {part} .*{InHome("cache")}/openshell-vm/artifacts/{kind}/.*, built here");
        Directory.EnumerateDirectories(InHome("cache/openshell-vm")).Select(Path.GetFileName).ShouldNotContain(folder => folder == "packages" || folder == "apt" || folder == "work" || folder == "locks");
    }

    // In the very bundle, and put back: it has 400 MB.
    private async Task DamageIsFoundAsync(string bundle)
    {
        var at = MiddleOf(bundle, "/root.squashfs");
        Flip();
        var found = await new GatewayCli(_home).RunAsync("bundle", "verify", bundle);
        Flip();
        found.ExitCode.ShouldBe(1, found.ToString());
        found.Err.ShouldMatch(@"root\.squashfs \(root(-k3s)?: root\.squashfs\) is damaged");
        found.Err.Split('\n').Count(l => l.StartsWith("error: ", StringComparison.Ordinal)).ShouldBe(1);

        void Flip()
        {
            using var file = File.Open(bundle, FileMode.Open, FileAccess.ReadWrite);
            file.Position = at;
            var value = file.ReadByte();
            file.Position = at;
            file.WriteByte((byte)(value ^ 1));
        }
    }

    private static long MiddleOf(string bundle, string ending)
    {
        using var reader = new TarReader(File.OpenRead(bundle));
        while (reader.GetNextEntry() is { } entry)
        {
            if (entry.Name.EndsWith(ending, StringComparison.Ordinal))
                return entry.DataOffset + (entry.Length / 2);
        }

        throw new InvalidOperationException($"{bundle} has no {ending}.");
    }

    private static void CheckBill(JsonElement bill, IReadOnlyList<string> cluster)
    {
        bill.GetProperty("spdxVersion").GetString().ShouldBe("SPDX-2.3");
        var packages = bill.GetProperty("packages").EnumerateArray().Select(p => (Name: p.GetProperty("name").GetString()!, Id: p.GetProperty("SPDXID").GetString()!, Comment: p.TryGetProperty("comment", out var c) ? c.GetString() : null)).ToList();
        packages.Select(p => p.Id).ShouldBeUnique();
        foreach (var name in (string[])[.. cluster, "libc6", "gvproxy", "kernel", ".NET runtime", "Spectre.Console", "System.CommandLine", "YamlDotNet", "carried.yaml"])
            packages.ShouldContain(p => p.Name == name, name);
        packages.ShouldNotContain(p => p.Comment != null && p.Comment.Contains("were not recorded", StringComparison.Ordinal));
        var ids = packages.Select(p => p.Id).Append("SPDXRef-DOCUMENT").ToHashSet();
        foreach (var relationship in bill.GetProperty("relationships").EnumerateArray())
        {
            ids.ShouldContain(relationship.GetProperty("spdxElementId").GetString()!);
            ids.ShouldContain(relationship.GetProperty("relatedSpdxElement").GetString()!);
        }
    }

    private Task<Finished> JoinAsync(int process, params IReadOnlyList<string> command) => NoNetwork.JoinAsync(process, _environment, command);

    private static JsonElement Json(Finished finished)
    {
        using var json = JsonDocument.Parse(finished.OrFail());
        return json.RootElement.Clone();
    }

    private string InHome(string name) => Path.Combine(_home.Root, name);
}
