using OpenShell.Tests;
using OpenShell.Vm.Boot.Tests.Running;

namespace OpenShell.Vm.Boot.Tests.Cluster;

/// <summary>The gateway through its forwarded port, called by an unmodified client of another language.</summary>
public sealed class GatewayServiceTests(ClusterFixture cluster) : ClusterTest(cluster)
{
    private const string Script = """
        import sys, grpc
        target, folder, mode, path = sys.argv[1:5]
        read = lambda name: open(folder + '/' + name, 'rb').read()
        client = (read('tls.key'), read('tls.crt')) if mode == 'certificate' else (None, None)
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(read('ca.crt'), *client))
        try:
            print('OK', channel.unary_unary(path)(b'', timeout=20).hex())
        except grpc.RpcError as error:
            print(error.code().name)
        """;

    private const string Check = "/grpc.health.v1.Health/Check";

    [Fact]
    public async Task With_its_certificate_a_client_gets_SERVING() => (await CallAsync(Cluster.Mtls, "certificate", Check)).ShouldBe("OK 0801");

    [Fact]
    public async Task Without_a_certificate_a_client_is_refused() => (await CallAsync(Cluster.Mtls, "none", Check)).ShouldBe("UNAVAILABLE");

    [Fact]
    public async Task With_a_certificate_of_another_authority_a_client_is_refused()
    {
        using var pki = new TestPki("another CA");
        using var client = pki.Client();
        var folder = Directory.CreateTempSubdirectory("openshell-stranger-");
        File.Copy(Path.Combine(Cluster.Mtls, "ca.crt"), Path.Combine(folder.FullName, "ca.crt"));
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "tls.crt"), client.ExportCertificatePem(), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "tls.key"), client.KeyPem(), TestContext.Current.CancellationToken);

        (await CallAsync(folder.FullName, "certificate", Check)).ShouldBe("UNAVAILABLE");

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task GetInfo_knows_the_node_and_the_clusters_version()
    {
        var node = (await Kubectl.RunAsync("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")).Trim();
        var version = await Kubectl.RunAsync("get", "nodes", "-o", "jsonpath={.items[0].status.nodeInfo.kubeletVersion}");

        var answer = await CallAsync(Cluster.Mtls, "certificate", "/openshell.v1.Gateway/GetInfo");

        // The fields are checked by the gateway's own tests; here it counts that node and API server told it these.
        answer.ShouldStartWith("OK ");
        var text = System.Text.Encoding.UTF8.GetString(Convert.FromHexString(answer[3..]));
        text.ShouldContain(node);
        text.ShouldContain(version);
    }

    [Fact]
    public async Task The_pod_runs_as_it_was_meant_to()
    {
        var pod = Kubectl.In("openshell");
        (await pod.RunAsync("get", "pod", "openshell-gateway-0", "-o", "jsonpath={.status.containerStatuses[0].ready}")).ShouldBe("true");

        // Its container starts once with each start of the machine, and never in between.
        (await pod.RunAsync("get", "pod", "openshell-gateway-0", "-o", "jsonpath={.status.containerStatuses[0].restartCount}")).ShouldBe($"{Cluster.Starts - 1}");
        (await pod.RunAsync("auth", "can-i", "--list", "--as", "system:serviceaccount:openshell:openshell-gateway")).ShouldNotContain("*.*");
        (await pod.TryAsync("auth", "can-i", "get", "secrets", "--as", "system:serviceaccount:openshell:openshell-gateway")).Out.Trim().ShouldBe("no");
    }

    private async Task<string> CallAsync(string folder, string mode, string path)
    {
        Python.SkipUnlessGrpc();
        var endpoint = new Uri((await Cluster.StatusAsync()).GetProperty("endpoint").GetString()!);
        using var python = Python.Start(Script, endpoint.Authority, folder, mode, path);
        return (await HostProgram.EndAsync(python, TimeSpan.FromMinutes(1))).OrFail().Trim();
    }
}
