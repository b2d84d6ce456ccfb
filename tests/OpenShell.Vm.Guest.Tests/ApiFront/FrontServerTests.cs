using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Guest.ApiFront;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Pki;

namespace OpenShell.Vm.Guest.Tests.ApiFront;

/// <summary>The whole front, with real TLS on both sides, over loopback.</summary>
public sealed class FrontServerTests : IAsyncLifetime
{
    private static readonly ClusterNames Names = new() { NodeName = "gw", GatewayName = "gateway" };
    private static readonly IReadOnlyDictionary<string, KeyPair> Cluster = CertificateSet.Make(ClusterCertificates.For(Names), DateTimeOffset.UtcNow);

    private readonly InstanceCredentials _mine = InstanceCredentials.Make(Names, DateTimeOffset.UtcNow), _others = InstanceCredentials.Make(Names, DateTimeOffset.UtcNow);
    private readonly TemporaryFolder _folder = new();
    private readonly TestApiServer _api = new(Cluster, SslApplicationProtocol.Http2, SslApplicationProtocol.Http11);
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _end = new();
    private readonly List<string> _stirred = [];
    private InstanceCredentials _served = null!;
    private FrontFiles _files = null!;
    private FrontServer _front = null!;
    private Task _running = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        GiveCluster();
        Serve(_mine);
        Start(new FrontLimits { LookEvery = TimeSpan.FromHours(1) });
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running.WaitAsync(TimeSpan.FromSeconds(20), CancellationToken.None);
        _files.Dispose();
        _listener.Dispose();
        _api.Dispose();
        _end.Dispose();
        _folder.Dispose();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_client_of_the_instance_is_the_administrator_to_the_API_server_and_what_it_does_not_offer_is_not_agreed_on()
    {
        await using var client = await CallAsync(_mine);

        (await client.LineAsync()).ShouldBe(" CN=openshell-admin, O=system:masters");
    }

    [Theory(Timeout = 60_000)]
    [InlineData("h2")]
    [InlineData("http/1.1")]
    public async Task What_the_client_speaks_is_spoken_with_the_API_server(string protocol)
    {
        await using var client = await CallAsync(_mine, new SslApplicationProtocol(protocol));

        client.Tls.NegotiatedApplicationProtocol.ToString().ShouldBe(protocol);
        (await client.LineAsync()).ShouldStartWith(protocol + " ");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_client_that_offers_both_gets_HTTP_2()
    {
        await using var client = await CallAsync(_mine, SslApplicationProtocol.Http11, SslApplicationProtocol.Http2);

        (await client.LineAsync()).ShouldStartWith("h2 ");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_administrator_of_the_cluster_is_a_stranger_when_he_has_no_certificate_of_this_instance()
    {
        await ShouldBeRefused(Cluster[ClusterCertificates.Admin]);
        await ShouldBeRefused(_others.ApiClient);
        await ShouldBeRefused(_mine.GatewayClient);
        // Of the right authority, but not for clients.
        await ShouldBeRefused(_mine.Pairs[ClusterCertificates.FrontServer]);
        await ShouldBeRefused(null);

        _api.Met.ShouldBe(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task With_other_credentials_the_old_client_is_refused_and_cut_and_the_new_one_let_in()
    {
        await using var old = await CallAsync(_mine);
        await old.LineAsync();

        Serve(_others);
        await using var fresh = await CallAsync(_others);

        (await fresh.LineAsync()).ShouldContain("openshell-admin");
        await old.ShouldBeCutAsync();
        await ShouldBeRefused(_mine.ApiClient);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_look_cuts_the_old_client_when_nobody_calls()
    {
        await using var old = await CallAsync(_mine);
        await old.LineAsync();

        Serve(_others);
        _front.Look();

        await old.ShouldBeCutAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_new_seed_is_taken_and_cuts_nobody()
    {
        await using var client = await CallAsync(_mine);
        await client.LineAsync();
        var before = _stirred.Count;

        Serve(_mine);
        _front.Look();

        _stirred.Count.ShouldBe(before + 1);
        _stirred.Distinct().Count().ShouldBe(_stirred.Count);
        (await client.EchoAsync("still here\n")).ShouldBe("still here");
    }

    [Fact(Timeout = 60_000)]
    public async Task Without_its_files_nobody_is_let_in()
    {
        await using var client = await CallAsync(_mine);
        await client.LineAsync();

        Directory.Delete(Places.FrontOwn, recursive: true);

        await ShouldBeRefused(_mine.ApiClient);
        await client.ShouldBeCutAsync();
        Serve(_mine);
        await using var again = await CallAsync(_mine);
        (await again.LineAsync()).ShouldContain("openshell-admin");
    }

    [Fact(Timeout = 60_000)]
    public async Task An_API_server_of_another_cluster_is_not_believed()
    {
        // Only that: the server would let the administrator in.
        var stranger = CertificateSet.Make(ClusterCertificates.For(Names), DateTimeOffset.UtcNow);
        new InstanceFiles(Places).GiveAccess(All(_mine), stranger[ClusterCertificates.ClusterCa].CertificatePem, Cluster[ClusterCertificates.Admin]);

        await using var client = await CallAsync(_mine);

        await client.ShouldBeCutAsync();
        _api.Met.ShouldBe(1);
    }

    [Fact(Timeout = 60_000)]
    public async Task The_clients_end_is_passed_on_and_what_the_server_says_afterwards_comes_back()
    {
        await using var client = await CallAsync(_mine);
        await client.LineAsync();
        (await client.EchoAsync("last words\n")).ShouldBe("last words");

        await client.Tls.ShutdownAsync();

        (await client.LineAsync()).ShouldBe("bye");
        (await client.Tls.ReadAsync(new byte[1], Token)).ShouldBe(0);
    }

    [Fact(Timeout = 60_000)]
    public async Task Much_passes_both_ways_as_it_is()
    {
        await using var client = await CallAsync(_mine);
        await client.LineAsync();
        var sent = RandomNumberGenerator.GetBytes(3 << 20);
        var received = new byte[sent.Length];

        var writing = client.Tls.WriteAsync(sent, Token).AsTask();
        await client.Tls.ReadExactlyAsync(received, Token);
        await writing;

        received.AsSpan().SequenceEqual(sent).ShouldBeTrue();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_caller_that_never_says_who_it_is_gives_its_place_to_the_next()
    {
        await _end.CancelAsync();
        await _running;
        using var again = new CancellationTokenSource();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var front = new FrontServer(_api.Endpoint, _files, new FrontLimits { Connections = 1, Handshake = TimeSpan.FromSeconds(1) }, _ => { });
        var running = front.RunAsync(listener, again.Token);
        using var silent = new TcpClient();
        await silent.ConnectAsync((IPEndPoint)listener.LocalEndPoint!, Token);

        await using var client = await FrontClient.ConnectAsync((IPEndPoint)listener.LocalEndPoint!, _mine.ApiClient, _mine.ApiAuthority, []);

        (await client.LineAsync()).ShouldContain("openshell-admin");
        await again.CancelAsync();
        await running;
    }

    private CredentialPlaces Places => new(_folder.Path, gatewayGroup: 0);

    private static Dictionary<string, KeyPair> All(InstanceCredentials credentials) => new(credentials.Pairs);

    private void GiveCluster() =>
        new InstanceFiles(Places).GiveAccess(All(_mine), Cluster[ClusterCertificates.ClusterCa].CertificatePem, Cluster[ClusterCertificates.Admin]);

    private void Serve(InstanceCredentials credentials) => new InstanceFiles(Places).Serve((_served = credentials).Pairs);

    private void Start(FrontLimits limits)
    {
        _files = new FrontFiles(Places.FrontOwn, Places.FrontCluster, _ => { }, seed => _stirred.Add(Encoding.UTF8.GetString(seed.Span)));
        _front = new FrontServer(_api.Endpoint, _files, limits, _ => { });
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _running = _front.RunAsync(_listener, _end.Token);
    }

    private Task<FrontClient> CallAsync(InstanceCredentials credentials, params SslApplicationProtocol[] protocols) =>
        FrontClient.ConnectAsync((IPEndPoint)_listener.LocalEndPoint!, credentials.ApiClient, credentials.ApiAuthority, protocols);

    private async Task ShouldBeRefused(KeyPair? who)
    {
        // The client believes the front: it is the front that refuses. With TLS 1.3 a client learns of it when it reads.
        try
        {
            await using var client = await FrontClient.ConnectAsync((IPEndPoint)_listener.LocalEndPoint!, who, _served.ApiAuthority, []);
            await client.ShouldBeCutAsync();
        }
        catch (Exception exception) when (exception is IOException || (exception is AuthenticationException && !exception.Message.Contains("RemoteCertificate", StringComparison.Ordinal)))
        {
            // In the handshake, and not because the client did not believe the front.
        }
    }
}
