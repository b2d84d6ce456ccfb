using OpenShell.Tests;
using Wire = Openshell.V1;

namespace OpenShell.Gateway.Tests.Info;

public sealed class GetInfoTests : IDisposable
{
    private readonly TestPki _pki = new();

    public void Dispose() => _pki.Dispose();

    [Fact]
    public async Task It_tells_version_start_node_and_cluster()
    {
        var before = DateTimeOffset.UtcNow;
        await using var api = await TestApiServer.StartAsync(_pki);

        var info = await GetInfo(settings => settings with { ApiServer = api.Uri, ServiceAccount = api.ServiceAccount });

        info.Version.ShouldBe("0.1.0");
        info.Node.ShouldBe("test-node");
        info.StartTime.ToDateTimeOffset().ShouldBeInRange(before, DateTimeOffset.UtcNow);
        info.Cluster.Version.ShouldBe("v1.20.2");
        info.Cluster.Unavailable.ShouldBeEmpty();
        info.Cluster.CheckedAt.ToDateTimeOffset().ShouldBeInRange(before, DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task Outside_of_a_cluster_it_says_so()
    {
        var info = await GetInfo(settings => settings);

        info.Cluster.Version.ShouldBeEmpty();
        info.Cluster.Unavailable.ShouldContain("KUBERNETES_SERVICE_HOST");
    }

    [Fact]
    public async Task An_API_server_of_another_authority_is_not_believed()
    {
        using var stranger = new TestPki("another CA");
        await using var api = await TestApiServer.StartAsync(stranger);
        File.WriteAllText(Path.Combine(api.ServiceAccount, "ca.crt"), _pki.CaPem);

        var info = await GetInfo(settings => settings with { ApiServer = api.Uri, ServiceAccount = api.ServiceAccount });

        info.Cluster.Version.ShouldBeEmpty();
        info.Cluster.Unavailable.ShouldContain("cannot be reached");
    }

    [Fact]
    public async Task A_refusal_of_the_API_server_is_told()
    {
        await using var api = await TestApiServer.StartAsync(_pki);
        File.WriteAllText(Path.Combine(api.ServiceAccount, "token"), "expired");

        var info = await GetInfo(settings => settings with { ApiServer = api.Uri, ServiceAccount = api.ServiceAccount });

        info.Cluster.Unavailable.ShouldContain("HTTP 401");
    }

    [Fact]
    public async Task A_missing_token_is_told_with_its_folder()
    {
        await using var api = await TestApiServer.StartAsync(_pki);

        var info = await GetInfo(settings => settings with { ApiServer = api.Uri, ServiceAccount = "/nonexistent" });

        info.Cluster.Unavailable.ShouldContain("/nonexistent");
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("not JSON")]
    [InlineData("""{"gitVersion":7}""")]
    public async Task An_answer_of_another_shape_is_told(string answer)
    {
        await using var api = await TestApiServer.StartAsync(_pki);
        api.Answer = answer;

        var info = await GetInfo(settings => settings with { ApiServer = api.Uri, ServiceAccount = api.ServiceAccount });

        info.Cluster.Unavailable.ShouldContain("gitVersion");
    }

    private async Task<Wire.GetInfoResponse> GetInfo(Func<GatewaySettings, GatewaySettings> change)
    {
        await using var gateway = await TestGateway.StartAsync(_pki, change);
        using var certificate = _pki.Client();
        using var client = new TestClient(gateway.Endpoint, _pki, certificate);
        var answer = await client.CallAsync("/openshell.v1.Gateway/GetInfo", TestClient.Frame([]));
        answer.Status.ShouldBe(0);
        return Wire.GetInfoResponse.Parser.ParseFrom(answer.Message);
    }
}
