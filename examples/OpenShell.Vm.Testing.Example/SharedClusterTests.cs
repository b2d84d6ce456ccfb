using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace OpenShell.Vm.Testing.Example;

/// <summary>Tests against one cluster, each with objects of its own.</summary>
public sealed class SharedClusterTests(ClusterFixture fixture) : IClassFixture<ClusterFixture>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_node_is_ready()
    {
        var nodes = await fixture.Cluster.Api.GetFromJsonAsync<JsonNode>("/api/v1/nodes", Cancelled);

        var conditions = nodes!["items"]![0]!["status"]!["conditions"]!.AsArray();
        Assert.Contains(conditions, condition => condition!["type"]!.GetValue<string>() == "Ready" && condition["status"]!.GetValue<string>() == "True");
    }

    [Fact]
    public async Task What_is_written_can_be_read()
    {
        using var written = await fixture.Cluster.Api.PostAsJsonAsync("/api/v1/namespaces/default/configmaps", new
        {
            apiVersion = "v1",
            kind = "ConfigMap",
            metadata = new { name = "greeting" },
            data = new { text = "hello" },
        }, Cancelled);
        written.EnsureSuccessStatusCode();

        var read = await fixture.Cluster.Api.GetFromJsonAsync<JsonNode>("/api/v1/namespaces/default/configmaps/greeting", Cancelled);
        Assert.Equal("hello", read!["data"]!["text"]!.GetValue<string>());
    }

    [Fact]
    public async Task Programs_run_in_the_machine()
    {
        var written = (await fixture.Cluster.ExecAsync("sh", "-c", "echo out; echo err >&2; id -u")).EnsureSuccess();

        Assert.Equal("out\n0\n", written.Stdout);
        Assert.Equal("err\n", written.Stderr);
    }

    [Fact]
    public async Task The_gateway_answers_to_the_clients_certificate()
    {
        using var http = new HttpClient(fixture.Cluster.Mtls.CreateHandler());
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(fixture.Cluster.GatewayEndpoint, "/grpc.health.v1.Health/Check"))
        {
            Version = new Version(2, 0),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,

            // An empty HealthCheckRequest in gRPC's frame; a channel of Grpc.Net.Client with the same handler does this for you.
            Content = new ByteArrayContent(new byte[5]) { Headers = { { "Content-Type", "application/grpc" } } },
        };
        request.Headers.TE.ParseAdd("trailers");
        using var answer = await http.SendAsync(request, Cancelled);

        // HealthCheckResponse { status = SERVING }
        Assert.Equal([0, 0, 0, 0, 2, 8, 1], await answer.Content.ReadAsByteArrayAsync(Cancelled));
    }
}
