using System.Text;
using System.Text.Json;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Pki;
using OpenShell.Vm.Guest.State;
using OpenShell.Vm.Guest.Watching;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Tests.Watching;

/// <summary>A resume with its real files in a folder; only clock, kernel and API server are none of this machine's.</summary>
public sealed class ResumeServiceTests : IDisposable
{
    private const long Before = 1_000_000_000_000_000_000, Host = Before + 3_600_000_000_000;

    private static readonly ClusterNames Golden = new() { NodeName = "golden", NodeAddress = "192.168.127.2", GatewayName = "openshell-vm-golden" };

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _done = [];
    private readonly List<string> _doneBehind = [];
    private readonly TestCluster _cluster;
    private readonly ResumeService _service;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ResumeServiceTests()
    {
        Directory.CreateDirectory(Places.State);
        Directory.CreateDirectory(_folder.File("etc"));
        File.WriteAllText(Path.Combine(Places.State, "machine-id"), "of the golden machine\n");
        var certificates = new CertificateStore(Places.Of(StateLayout.Pki), TimeProvider.System).Ensure(Profiles(Golden));
        _cluster = new TestCluster(new InstanceFiles(Places), certificates);
        new InstanceFiles(Places).Serve(certificates);
        _service = new ResumeService(() => _cluster, () => null, Machine, new InstanceFiles(Places), Hold);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_clock_comes_first_then_randomness_then_connections()
    {
        var reply = await AskAsync(Same());

        _done.ShouldBe(["clock", "randomness 64", "connections 192.168.127.2"]);
        reply.GuestTimeUnixNanoseconds.ShouldBe(Before);
        reply.Problems.ShouldBe(["a problem"]);
        // What passed meanwhile is added; a test host may be slow, but not by a minute.
        _set.ShouldBeInRange(Host, Host + 60_000_000_000);
    }

    [Fact]
    public async Task The_same_instance_keeps_all_that_it_has_and_its_servers_get_new_seeds()
    {
        var (seed, certificate) = (Read(Places.GatewayTls, ServingFolder.Seed), Read(Places.GatewayTls, ServingFolder.Certificate));

        await AskAsync(Same());
        await _service.Behind;

        Read(Places.GatewayTls, ServingFolder.Seed).ShouldNotBe(seed);
        Read(Places.GatewayTls, ServingFolder.Certificate).ShouldBe(certificate);
        File.ReadAllText(Path.Combine(Places.State, "machine-id")).ShouldBe("of the golden machine\n");
        _cluster.Followed.ShouldBeEmpty();
    }

    [Fact]
    public async Task When_it_answers_the_gateway_and_the_front_serve_with_the_new_credentials()
    {
        var (request, credentials) = Another("a");
        _cluster.Hold();

        await AskAsync(request);

        Read(Places.GatewayTls, ServingFolder.Certificate).ShouldBe(credentials.Pairs["gateway-server"].CertificatePem);
        Read(Places.GatewayTls, ServingFolder.Key).ShouldBe(credentials.Pairs["gateway-server"].KeyPem);
        Read(Places.GatewayTls, ServingFolder.Authority).ShouldBe(credentials.GatewayAuthority);
        Read(Places.FrontOwn, ServingFolder.Certificate).ShouldBe(credentials.Pairs["front-server"].CertificatePem);
        Read(Places.FrontOwn, ServingFolder.Authority).ShouldBe(credentials.ApiAuthority);
        File.ReadAllText(Places.MachineId).ShouldBe(request.MachineId + "\n");
        _cluster.Release();
        await _service.Behind;
    }

    [Fact]
    public async Task What_follows_behind_leaves_a_disk_that_the_next_boot_keeps_as_it_is()
    {
        var (request, credentials) = Another("a");

        await AskAsync(request);
        await _service.Behind;

        CloneIdentity.Claim("a", Places.State);
        var store = new CertificateStore(Places.Of(StateLayout.Pki), TimeProvider.System);
        var kept = store.Ensure(Profiles(Golden with { GatewayName = request.GatewayName! }));
        store.Made.ShouldBe(0);
        kept["front-ca"].ShouldBe(credentials.Pairs["front-ca"]);
        File.ReadAllText(Path.Combine(Places.State, "machine-id")).ShouldBe(request.MachineId + "\n");
        _cluster.Followed.ShouldBe([("a", "front-ca front-client front-server gateway-ca gateway-client gateway-server")]);
    }

    [Fact]
    public async Task A_disk_on_which_not_all_was_written_is_made_anew_by_the_next_boot()
    {
        CloneIdentity.Claim("a", Places.State);
        CloneIdentity.Disown("b", Places.State);
        var credentials = InstanceCredentials.Make(Golden, DateTimeOffset.UtcNow);
        new CertificateStore(Places.Of(StateLayout.Pki), TimeProvider.System).Put(new Dictionary<string, KeyPair> { ["gateway-ca"] = credentials.Pairs["gateway-ca"] });

        CloneIdentity.Claim("b", Places.State);

        File.Exists(Path.Combine(Places.State, "pki/gateway-ca.crt")).ShouldBeFalse();
        File.Exists(Path.Combine(Places.State, "pki/front-ca.crt")).ShouldBeFalse();
        File.Exists(Path.Combine(Places.State, "pki/ca.crt")).ShouldBeTrue();
        await Task.CompletedTask;
    }

    [Fact]
    public async Task A_clone_of_a_clone_is_the_last_and_what_the_first_left_to_do_is_given_up()
    {
        var (first, _) = Another("a");
        var (second, credentials) = Another("b");
        _cluster.Hold();
        await AskAsync(first);

        await AskAsync(second);
        _cluster.Release();
        await _service.Behind;

        Read(Places.GatewayTls, ServingFolder.Authority).ShouldBe(credentials.GatewayAuthority);
        new Marker("identity", Path.Combine(Places.State, "markers")).Is("b").ShouldBeTrue();
        _cluster.Followed.Select(followed => followed.Identity).ShouldBe(["b"]);
    }

    [Fact]
    public async Task The_same_resume_twice_is_as_once()
    {
        var (request, credentials) = Another("a");

        await AskAsync(request);
        await AskAsync(request);
        await _service.Behind;

        Read(Places.GatewayTls, ServingFolder.Authority).ShouldBe(credentials.GatewayAuthority);
        var store = new CertificateStore(Places.Of(StateLayout.Pki), TimeProvider.System);
        store.Ensure(Profiles(Golden with { GatewayName = request.GatewayName! }));
        store.Made.ShouldBe(0);
    }

    [Fact]
    public async Task An_API_server_that_refuses_is_asked_again()
    {
        _cluster.Failures = 1;

        await AskAsync(Another("a").Request);
        await _service.Behind;

        _cluster.Followed.Count.ShouldBe(1);
        _cluster.Failures.ShouldBe(0);
    }

    [Fact]
    public async Task What_follows_behind_the_answer_waits_until_services_go_on()
    {
        await Hold.HoldAsync();

        await AskAsync(Another("a").Request);
        _service.Behind.IsCompleted.ShouldBeFalse();
        _cluster.Followed.ShouldBeEmpty();
        _doneBehind.ShouldBeEmpty();
        await Hold.LetGoAsync();
        await _service.Behind;

        _cluster.Followed.Count.ShouldBe(1);
        _doneBehind.ShouldBe(["connections of pods 192.168.127.2 192.168.127.1"]);
    }

    [Theory]
    [InlineData("entropy")]
    [InlineData("time")]
    [InlineData("machine-id")]
    [InlineData("machine-id missing")]
    [InlineData("gateway's name")]
    [InlineData("unknown name")]
    [InlineData("missing")]
    [InlineData("no key")]
    [InlineData("no credentials")]
    [InlineData("without identity")]
    [InlineData("no JSON")]
    public async Task What_is_malformed_is_refused_and_nothing_is_changed(string what)
    {
        var before = Read(Places.GatewayTls, ServingFolder.Seed);
        var good = Another("a").Request;
        var pairs = new Dictionary<string, CertificatePair>(good.Credentials!);
        var bad = what switch
        {
            "entropy" => good with { Entropy = new byte[63] },
            "time" => good with { HostTimeUnixNanoseconds = 0 },
            "machine-id" => good with { MachineId = "../../etc/passwd" },
            "machine-id missing" => good with { MachineId = null },
            "gateway's name" => good with { GatewayName = "two words" },
            "unknown name" => good with { Credentials = new Dictionary<string, CertificatePair>(pairs) { ["ca"] = pairs["gateway-ca"] } },
            "missing" => good with { Credentials = pairs.Where(p => p.Key != "front-client").ToDictionary() },
            "no key" => good with { Credentials = new Dictionary<string, CertificatePair>(pairs) { ["gateway-ca"] = new(pairs["gateway-ca"].Certificate, "nonsense") } },
            "no credentials" => good with { Credentials = null },
            "without identity" => good with { Identity = null },
            _ => null,
        };

        var json = bad is null ? "{}"u8.ToArray() : JsonSerializer.SerializeToUtf8Bytes(bad, ProtocolJson.Default.ResumeRequest);
        var refusal = await Should.ThrowAsync<MuxStreamException>(() => _service.AnswerAsync(json, Token));

        refusal.Code.ShouldBe(ProtocolCode.InvalidRequest);
        _done.ShouldBeEmpty();
        Read(Places.GatewayTls, ServingFolder.Seed).ShouldBe(before);
    }

    [Fact]
    public async Task A_cluster_that_has_not_come_up_becomes_nobody_elses()
    {
        _cluster.IsUp = false;

        (await Should.ThrowAsync<MuxStreamException>(() => AskAsync(Another("a").Request))).Code.ShouldBe(ProtocolCode.Failed);
        _done.ShouldBeEmpty();
        await AskAsync(Same());
        _done.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_machine_without_a_cluster_goes_on_too()
    {
        var service = new ResumeService(() => null, () => null, Machine, new InstanceFiles(Places), Hold);

        await service.AnswerAsync(JsonSerializer.SerializeToUtf8Bytes(Same(), ProtocolJson.Default.ResumeRequest), Token);

        _done.ShouldBe(["clock", "randomness 64", "connections "]);
    }

    [Fact]
    public async Task A_memory_is_saved_with_its_files_and_what_takes_a_server_is_done_after_the_next_resume()
    {
        var (request, credentials) = Another("a");
        await Hold.HoldAsync();
        await AskAsync(request);

        // Saved at this moment: who goes on from the disk, or fetches credentials, has the instance's own.
        _service.Keep();
        new CertificateStore(Places.Of(StateLayout.Pki), TimeProvider.System).Ensure(Profiles(Golden with { GatewayName = request.GatewayName! }))["front-ca"].ShouldBe(credentials.Pairs["front-ca"]);
        File.ReadAllText(Places.Of(GuestPaths.BootstrapGatewayCa)).ShouldBe(credentials.GatewayAuthority);
        File.ReadAllText(Places.Of(GuestPaths.BootstrapGatewayCertificate)).ShouldBe(credentials.Pairs["gateway-client"].CertificatePem);
        File.ReadAllText(Places.Of(GuestPaths.BootstrapKubeconfig)).ShouldContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials.Pairs["front-client"].CertificatePem)));

        await AskAsync(Same());
        _cluster.Followed.ShouldBeEmpty();
        await Hold.LetGoAsync();
        await _service.Behind;
        _cluster.Followed.ShouldBe([("a", "front-ca front-client front-server gateway-ca gateway-client gateway-server")]);

        // And once.
        await AskAsync(Same());
        await _service.Behind;
        _cluster.Followed.Count.ShouldBe(1);
    }

    /// <summary>One that was held when it was saved could not be asked to keep anything.</summary>
    [Fact]
    public async Task A_memory_that_was_saved_before_anything_was_kept_has_its_own_credentials_when_it_answers()
    {
        var (request, credentials) = Another("a");
        await Hold.HoldAsync();
        await AskAsync(request);
        File.Exists(Places.Of(GuestPaths.BootstrapGatewayCa)).ShouldBeFalse();

        (await AskAsync(Same())).Problems.ShouldBe(["a problem"]);

        File.ReadAllText(Places.Of(GuestPaths.BootstrapGatewayCa)).ShouldBe(credentials.GatewayAuthority);
        File.ReadAllText(Places.Of(GuestPaths.BootstrapKubeconfig)).ShouldContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials.Pairs["front-client"].CertificatePem)));
        new Marker("identity", Path.Combine(Places.State, "markers")).Is("a").ShouldBeTrue();
        await Hold.LetGoAsync();
        await _service.Behind;
        _cluster.Followed.Count.ShouldBe(1);
    }

    private ServiceHold? _hold;

    private ServiceHold Hold => _hold ??= new ServiceHold(_ => Task.CompletedTask, TimeProvider.System);

    private CredentialPlaces Places => new(_folder.Path, gatewayGroup: 0);

    private long _set;

    private ResumedMachine Machine => new()
    {
        Now = () => Before,
        SetClock = time =>
        {
            _set = time;
            _done.Add("clock");
        },
        Reseed = entropy =>
        {
            _done.Add($"randomness {entropy.Length}");
            return [];
        },
        CutConnections = own =>
        {
            _done.Add($"connections {own}");
            return ["a problem"];
        },
        CutPodConnections = (own, gateway) =>
        {
            _doneBehind.Add($"connections of pods {own} {gateway}");
            return [];
        },
    };

    private static IReadOnlyList<CertificateProfile> Profiles(ClusterNames names) => [.. ClusterCertificates.For(names), .. ClusterCertificates.ForFront(names)];

    private static ResumeRequest Same() => new() { HostTimeUnixNanoseconds = Host, Entropy = new byte[64] };

    private static (ResumeRequest Request, InstanceCredentials Credentials) Another(string identity)
    {
        var credentials = InstanceCredentials.Make(Golden with { GatewayName = "openshell-vm-" + identity }, DateTimeOffset.UtcNow);
        return (Same() with
        {
            Identity = identity,
            GatewayName = "openshell-vm-" + identity,
            MachineId = Guid.NewGuid().ToString("N"),
            Credentials = credentials.Pairs.ToDictionary(p => p.Key, p => new CertificatePair(p.Value.CertificatePem, p.Value.KeyPem)),
        }, credentials);
    }

    private async Task<ResumeReply> AskAsync(ResumeRequest request) =>
        JsonSerializer.Deserialize(await _service.AnswerAsync(JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Default.ResumeRequest), Token), ProtocolJson.Default.ResumeReply)!;

    private static string Read(string folder, string name) => File.ReadAllText(Path.Combine(folder, name));

    /// <summary>A cluster of which only the API server is missing.</summary>
    private sealed class TestCluster(InstanceFiles files, IReadOnlyDictionary<string, KeyPair> certificates) : IResumedCluster
    {
        private readonly Dictionary<string, KeyPair> _certificates = new(certificates);
        private TaskCompletionSource _held = Done();
        private string _identity = "";

        public string? Address => "192.168.127.2";

        public string? Gateway => "192.168.127.1";

        public bool HasFront => true;

        public bool IsUp { get; set; } = true;

        public int Failures { get; set; }

        public List<(string Identity, string Changed)> Followed { get; } = [];

        /// <summary>The API server takes nothing until <see cref="Release"/>.</summary>
        public void Hold() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Release() => _held.TrySetResult();

        public void Become(string identity, string gatewayName, IReadOnlyDictionary<string, KeyPair> credentials)
        {
            _identity = identity;
            foreach (var (name, pair) in credentials)
                _certificates[name] = pair;
            files.Serve(_certificates);
        }

        public void Stir() => files.Serve(_certificates);

        public async Task FollowAsync(IReadOnlyCollection<string> changed, CancellationToken cancellationToken)
        {
            await _held.Task.WaitAsync(cancellationToken);
            if (Failures > 0)
            {
                Failures--;
                throw new HttpRequestException("the API server is not there yet");
            }

            Followed.Add((_identity, string.Join(' ', changed.Order(StringComparer.Ordinal))));
        }

        private static TaskCompletionSource Done()
        {
            var done = new TaskCompletionSource();
            done.SetResult();
            return done;
        }
    }
}
