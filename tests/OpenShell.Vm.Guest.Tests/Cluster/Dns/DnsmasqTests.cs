using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Guest.Cluster.Components;
using OpenShell.Vm.Guest.Cluster.Dns;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.Tests.Services;
using OpenShell.Vm.Protocol.Messages;
using static OpenShell.Vm.Guest.Tests.Cluster.Dns.DnsZoneTests;

namespace OpenShell.Vm.Guest.Tests.Cluster.Dns;

/// <summary>The real dnsmasq, both instances of it, run as services and told names as in a guest; only its addresses are the host's loopback.</summary>
public sealed class DnsmasqTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);
    private readonly RecordingReporter _reporter = new();
    private readonly FakeResolver _resolver = new();
    private readonly DnsPlace _place;
    private readonly ServiceManager _services;
    private readonly DnsFiles _files;

    public DnsmasqTests()
    {
        // dnsmasq reads as nobody what root has written.
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0x1ED);
        _place = new DnsPlace(_folder.Path, "127.0.0.1", FreePort(), FreePort());
        _services = new ServiceManager(new ServiceContext
        {
            Launcher = new ProcessLauncher(_reaper),
            Reporter = _reporter,
            Board = new ConditionBoard(),
            Probe = new HealthProbe(),
            Logs = _folder.File("logs"),
            Cgroups = false,
        });
        _files = new DnsFiles(_services, _place);
    }

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists("/usr/sbin/dnsmasq"))
            Assert.Skip("dnsmasq is not installed (Debian: dnsmasq-base)");
        _services.Start([DnsService.Describe(_place) with { Conditions = [Names] }, DnsService.DescribeRecords(_place) with { Conditions = [Names] }]);
        _files.Prepare([$"127.0.0.1#{_resolver.Port}"]);
        Tell([Service("default", "kubernetes", """{"clusterIP":"10.43.0.1","ports":[{"name":"https","port":443}]}""")]);
        _services.Board.Fulfil(Names);
        await _services.HealthyAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _services.StopAsync(0, 100);
        _services.Dispose();
        _reaper.Dispose();
        _resolver.Dispose();
        _folder.Dispose();
    }

    private static Condition.Done Names => new(Milestone.Names);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_service_is_found_by_name_by_address_and_by_port(bool tcp)
    {
        (await AskAsync("kubernetes.default.svc.cluster.local", DnsQuery.A, tcp)).ShouldBe("0: 10.43.0.1");
        (await AskAsync("KUBERNETES.default.svc.cluster.LOCAL", DnsQuery.A, tcp)).ShouldBe("0: 10.43.0.1");
        (await AskAsync("1.0.43.10.in-addr.arpa", DnsQuery.Pointer, tcp)).ShouldBe("0: kubernetes.default.svc.cluster.local");
        (await AskAsync("_https._tcp.kubernetes.default.svc.cluster.local", DnsQuery.Service, tcp)).ShouldBe("0: 443 kubernetes.default.svc.cluster.local");
    }

    [Fact]
    public async Task What_the_cluster_does_not_have_does_not_exist_and_nobody_else_is_asked()
    {
        foreach (var (name, type) in (IEnumerable<(string, ushort)>)[
            ("nothing.default.svc.cluster.local", DnsQuery.A), ("example.org.default.svc.cluster.local", DnsQuery.A), ("example.org.cluster.local", DnsQuery.A),
            ("_http._tcp.kubernetes.default.svc.cluster.local", DnsQuery.Service), ("_http._tcp.nothing.default.svc.cluster.local", DnsQuery.Service),
            ("9.0.43.10.in-addr.arpa", DnsQuery.Pointer), ("9.0.42.10.in-addr.arpa", DnsQuery.Pointer)])
        {
            (await AskAsync(name, type)).ShouldBe("3: ", name);
        }

        _resolver.Asked.ShouldBe(0);
    }

    [Fact]
    public async Task All_else_is_asked_where_the_guest_asks() => (await AskAsync("somewhere.example.org", DnsQuery.A)).ShouldBe("0: 192.0.2.53");

    [Fact]
    public async Task Names_come_change_and_go_while_it_runs()
    {
        var before = Runs(DnsService.Name);
        Tell(
            [Service("shop", "db", """{"clusterIP":"None","ports":[{"name":"sql","port":5432}]}"""), Service("shop", "bank", """{"type":"ExternalName","externalName":"bank.example.org"}""")],
            [Endpoints("shop", "db", """[{"addresses":[{"ip":"10.42.0.9","hostname":"db-0"},{"ip":"10.42.0.8","hostname":"db-1"}],"ports":[{"name":"sql","port":5432}]}]""")],
            "198.51.100.7");
        await AnswersAsync("db.shop.svc.cluster.local", DnsQuery.A, "0: 10.42.0.8 10.42.0.9");
        await AnswersAsync("db-1.db.shop.svc.cluster.local", DnsQuery.A, "0: 10.42.0.8");
        await AnswersAsync("8.0.42.10.in-addr.arpa", DnsQuery.Pointer, "0: db-1.db.shop.svc.cluster.local");
        await AnswersAsync("_sql._tcp.db.shop.svc.cluster.local", DnsQuery.Service, "0: 5432 db-0.db.shop.svc.cluster.local 5432 db-1.db.shop.svc.cluster.local");
        await AnswersAsync("bank.shop.svc.cluster.local", DnsQuery.A, "0: 198.51.100.7");
        await AnswersAsync("kubernetes.default.svc.cluster.local", DnsQuery.A, "3: ");
        // A Service that stands for an address elsewhere does not become that address's name.
        (await AskAsync("7.100.51.198.in-addr.arpa", DnsQuery.Pointer)).ShouldNotContain("bank");

        Tell([Service("shop", "db", """{"clusterIP":"None"}""")], [Endpoints("shop", "db", """[{"addresses":[{"ip":"10.42.0.10","hostname":"db-1"}]}]""")]);
        await AnswersAsync("db.shop.svc.cluster.local", DnsQuery.A, "0: 10.42.0.10");
        await AnswersAsync("db-1.db.shop.svc.cluster.local", DnsQuery.A, "0: 10.42.0.10");
        await AnswersAsync("db-0.db.shop.svc.cluster.local", DnsQuery.A, "3: ");
        await AnswersAsync("bank.shop.svc.cluster.local", DnsQuery.A, "3: ");
        await AnswersAsync("_sql._tcp.db.shop.svc.cluster.local", DnsQuery.Service, "3: ");

        Tell([]);
        await AnswersAsync("db.shop.svc.cluster.local", DnsQuery.A, "3: ");
        Runs(DnsService.Name).ShouldBe(before, "the name server of pods is not started again for any of this");
        _reporter.Reports.Where(r => r.State == StageState.Failed).Select(r => r.Fault?.What).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(DnsService.Name)]
    [InlineData(DnsService.RecordsName)]
    public async Task One_that_is_killed_comes_back_with_all_names(string service)
    {
        var process = int.Parse(_reporter.Reports.Last(r => r.Stage == "services/" + service && r.Detail?.StartsWith("runs as process") == true).Detail!.Split(' ')[^1]);
        System.Diagnostics.Process.GetProcessById(process).Kill();
        await _reporter.WaitForAsync(r => Runs(service) == 2);

        await AnswersAsync("kubernetes.default.svc.cluster.local", DnsQuery.A, "0: 10.43.0.1");
        await AnswersAsync("_https._tcp.kubernetes.default.svc.cluster.local", DnsQuery.Service, "0: 443 kubernetes.default.svc.cluster.local");
    }

    private int Runs(string service) => _reporter.Reports.Count(r => r.Stage == "services/" + service && r.Detail?.StartsWith("runs as process") == true);

    private void Tell(IReadOnlyList<ServiceNames> services, IReadOnlyList<EndpointsNames>? endpoints = null, params IReadOnlyList<string> external) =>
        _files.Update(Zone(services, endpoints ?? [], _ => external, _place.SecondServer));

    private async Task<string> AskAsync(string name, ushort type, bool tcp = false)
    {
        var (code, answers) = await DnsQuery.AskAsync(new IPEndPoint(IPAddress.Loopback, _place.Port), name, type, tcp);
        return $"{code}: {string.Join(' ', answers)}";
    }

    private async Task AnswersAsync(string name, ushort type, string answer)
    {
        var deadline = DateTime.UtcNow.AddSeconds(30);
        string last;
        do
        {
            try
            {
                last = await AskAsync(name, type);
            }
            catch (Exception exception) when (exception is SocketException or OperationCanceledException)
            {
                last = exception.Message;
            }
        }
        while (last != answer && DateTime.UtcNow < deadline);
        last.ShouldBe(answer, name);
    }

    /// <summary>Below those that the kernel gives to sockets that ask for none (from 32768): a question of this test must not take the port of an instance that is just started again.</summary>
    private static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Somebody's; another.
            }
        }
    }

    /// <summary>Stands for the host's resolver: counts, and has one address for everything.</summary>
    private sealed class FakeResolver : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private int _asked;

        public FakeResolver()
        {
            _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            _ = AnswerAsync();
        }

        public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

        public int Asked => Volatile.Read(ref _asked);

        public void Dispose() => _socket.Dispose();

        private async Task AnswerAsync()
        {
            var message = new byte[4096];
            try
            {
                while (true)
                {
                    var question = await _socket.ReceiveFromAsync(message, new IPEndPoint(IPAddress.Any, 0));
                    Interlocked.Increment(ref _asked);
                    var end = Array.IndexOf(message, (byte)0, 12) + 5;
                    // QR, RD, RA; one question, one answer: a pointer to the question's name, A, IN, a minute, 192.0.2.53. Asked for another type, there is no answer.
                    var isAddress = message[end - 3] == DnsQuery.A;
                    byte[] answer = [message[0], message[1], 0x81, 0x80, 0, 1, 0, isAddress ? (byte)1 : (byte)0, 0, 0, 0, 0, .. message[12..end], .. isAddress ? (byte[])[0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 53] : []];
                    await _socket.SendToAsync(answer, question.RemoteEndPoint);
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The end of the test.
            }
        }
    }
}
