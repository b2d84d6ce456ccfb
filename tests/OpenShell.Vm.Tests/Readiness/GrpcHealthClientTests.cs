using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using OpenShell.Tests;
using OpenShell.Vm.Readiness;

namespace OpenShell.Vm.Tests.Readiness;

public sealed class GrpcHealthClientTests : IDisposable
{
    private readonly TestPki _pki = new();

    public void Dispose() => _pki.Dispose();

    [Theory]
    [InlineData("", HealthStatus.Serving)]
    [InlineData("down", HealthStatus.NotServing)]
    [InlineData("unset", HealthStatus.Unknown)]
    [InlineData("future", HealthStatus.Serving)]
    public async Task A_real_server_of_another_language_is_understood(string service, HealthStatus expected)
    {
        Python.SkipUnlessGrpc();
        using var server = new PythonHealthServer(_pki);
        using var client = _pki.Client();

        (await Check(server.Endpoint, client, service)).ShouldBe(expected);
    }

    [Fact]
    public async Task A_long_service_name_is_framed_rightly()
    {
        Python.SkipUnlessGrpc();
        using var server = new PythonHealthServer(_pki);
        using var client = _pki.Client();

        (await Check(server.Endpoint, client, new string('x', 100))).ShouldBe(HealthStatus.Serving);
    }

    [Fact]
    public async Task A_status_other_than_OK_carries_its_number_and_its_decoded_message()
    {
        Python.SkipUnlessGrpc();
        using var server = new PythonHealthServer(_pki);
        using var client = _pki.Client();

        var refusal = await Should.ThrowAsync<GrpcStatusException>(() => Check(server.Endpoint, client, "none"));

        refusal.Status.ShouldBe(5);
        refusal.Message.ShouldContain("no service «none», 100 % sure");
    }

    [Fact]
    public async Task A_server_of_another_authority_is_not_trusted()
    {
        Python.SkipUnlessGrpc();
        using var stranger = new TestPki("another CA");
        using var server = new PythonHealthServer(stranger);
        using var client = stranger.Client();

        await Should.ThrowAsync<HttpRequestException>(() => Check(server.Endpoint, client, ""));
    }

    [Fact]
    public async Task A_server_under_a_name_that_is_not_its_own_is_not_trusted()
    {
        Python.SkipUnlessGrpc();
        using var server = new PythonHealthServer(_pki);
        using var client = _pki.Client();
        var alias = new UriBuilder(server.Endpoint) { Host = "127.0.0.2" }.Uri;

        // Nothing listens on 127.0.0.2, so relay the port there first: the refusal has to come from the certificate.
        using var relay = new TcpListener(IPAddress.Parse("127.0.0.2"), alias.Port);
        relay.Start();
        var relayed = Relay(relay, server.Endpoint.Port);

        var refusal = await Should.ThrowAsync<HttpRequestException>(() => Check(alias, client, ""));
        refusal.HttpRequestError.ShouldBe(HttpRequestError.SecureConnectionError);
        await relayed;
    }

    [Fact]
    public async Task A_client_of_another_authority_is_refused()
    {
        Python.SkipUnlessGrpc();
        using var server = new PythonHealthServer(_pki);
        using var stranger = new TestPki("another CA");
        using var client = stranger.Client();

        await Should.ThrowAsync<HttpRequestException>(() => Check(server.Endpoint, client, ""));
    }

    [Fact]
    public async Task A_server_that_accepts_and_never_speaks_runs_into_the_timeout()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var client = _pki.Client();
        var endpoint = new Uri($"https://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}");

        await Should.ThrowAsync<TimeoutException>(() => GrpcHealthClient.CheckAsync(endpoint, _pki.Ca, client, "", TimeSpan.FromMilliseconds(200)));
    }

    [Fact]
    public async Task A_caller_who_gives_up_gets_a_cancellation_not_a_timeout()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var client = _pki.Client();
        using var cancelled = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        var endpoint = new Uri($"https://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}");

        await Should.ThrowAsync<OperationCanceledException>(() => GrpcHealthClient.CheckAsync(endpoint, _pki.Ca, client, "", TimeSpan.FromSeconds(30), cancelled.Token));
    }

    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 1, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 3, 8, 1 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 8 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 2, 0x12, 9 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 1, 0x0f })]
    public void A_malformed_answer_is_refused(byte[] frame) =>
        Should.Throw<HttpRequestException>(() => GrpcHealthClient.Parse(frame));

    private Task<HealthStatus> Check(Uri endpoint, X509Certificate2 client, string service) =>
        GrpcHealthClient.CheckAsync(endpoint, _pki.Ca, client, service, TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);

    private static async Task Relay(TcpListener listener, int port)
    {
        using var near = await listener.AcceptTcpClientAsync();
        using var far = new TcpClient();
        await far.ConnectAsync(IPAddress.Loopback, port);
        await Task.WhenAny(near.GetStream().CopyToAsync(far.GetStream()), far.GetStream().CopyToAsync(near.GetStream()));
    }
}
