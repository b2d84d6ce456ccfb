using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using OpenShell.Tests;

namespace OpenShell.Gateway.Tests.Tls;

public sealed class MutualTlsTests : IAsyncLifetime
{
    private const string Check = "/grpc.health.v1.Health/Check";

    private readonly TestPki _pki = new();
    private TestGateway _gateway = null!;

    public async ValueTask InitializeAsync() => _gateway = await TestGateway.StartAsync(_pki);

    public async ValueTask DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _pki.Dispose();
    }

    [Fact]
    public async Task A_client_with_a_certificate_of_the_authority_is_served()
    {
        using var certificate = _pki.Client();
        await ShouldBeServed(certificate);
    }

    [Fact]
    public Task A_client_without_a_certificate_is_refused() => ShouldBeRefused(null);

    [Fact]
    public async Task A_client_of_another_authority_is_refused()
    {
        using var stranger = new TestPki("another CA");
        using var certificate = stranger.Client();
        await ShouldBeRefused(certificate);
    }

    [Fact]
    public async Task A_client_of_another_authority_that_has_the_same_name_is_refused()
    {
        using var stranger = new TestPki();
        using var certificate = stranger.Client();
        await ShouldBeRefused(certificate);
    }

    [Fact]
    public async Task A_client_whose_certificate_has_expired_is_refused()
    {
        using var certificate = _pki.ExpiredClient();
        await ShouldBeRefused(certificate);
    }

    [Fact]
    public async Task A_client_whose_certificate_is_for_servers_is_refused()
    {
        using var certificate = _pki.ClientForServersOnly();
        await ShouldBeRefused(certificate);
    }

    [Fact]
    public async Task A_client_whose_certificate_does_not_say_what_it_is_for_is_refused()
    {
        using var certificate = _pki.ClientWithoutUsage();
        await ShouldBeRefused(certificate);
    }

    [Fact]
    public async Task A_client_that_does_not_offer_HTTP_2_is_refused()
    {
        using var certificate = _pki.Client();
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(_gateway.Endpoint.Host, _gateway.Endpoint.Port, TestContext.Current.CancellationToken);
        using var tls = new SslStream(tcp.GetStream());

        await Should.ThrowAsync<AuthenticationException>(() => tls.AuthenticateAsClientAsync(new()
        {
            TargetHost = "localhost",
            ClientCertificates = [certificate],
            ApplicationProtocols = [SslApplicationProtocol.Http11],
            CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, CustomTrustStore = { _pki.Ca } },
        }, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Probes_are_answered_without_TLS_and_nothing_else_is()
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = _gateway.ProbeEndpoint };

        (await Status("/livez")).ShouldBe(200);
        (await Status("/readyz")).ShouldBe(200);
        (await Status("/")).ShouldBe(404);
        (await Status("/metrics")).ShouldBe(404);
        using var call = await http.PostAsync(new Uri(Check, UriKind.Relative), new ByteArrayContent(TestClient.Frame([])) { Headers = { { "content-type", "application/grpc" } } }, TestContext.Current.CancellationToken);
        ((int)call.StatusCode).ShouldBe(404);

        _gateway.Health.Close();
        (await Status("/livez")).ShouldBe(200);
        (await Status("/readyz")).ShouldBe(503);

        async Task<int> Status(string path)
        {
            using var response = await http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task A_client_with_a_certificate_gets_gRPC_and_no_probes()
    {
        using var certificate = _pki.Client();
        using var client = new TestClient(_gateway.Endpoint, _pki, certificate);

        (await client.CallAsync("/livez", [], (":method", "GET"))).Http.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    private async Task ShouldBeServed(X509Certificate2 certificate)
    {
        using var client = new TestClient(_gateway.Endpoint, _pki, certificate);
        (await client.CallAsync(Check, TestClient.Frame([]))).Status.ShouldBe(0);
    }

    private async Task ShouldBeRefused(X509Certificate2? certificate)
    {
        using var client = new TestClient(_gateway.Endpoint, _pki, certificate);
        await Should.ThrowAsync<HttpRequestException>(() => client.CallAsync(Check, TestClient.Frame([])));

        // And the refusal was for the certificate: with a good one the same server answers.
        using var good = _pki.Client();
        await ShouldBeServed(good);
    }
}
