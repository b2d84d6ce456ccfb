using System.Net.Sockets;
using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Guests;

/// <summary>The way to the guest that a test takes.</summary>
public enum Route
{
    /// <summary>As a supervisor: straight to the guest.</summary>
    Direct,

    /// <summary>As any other process: through a supervisor's broker.</summary>
    Broker,
}

/// <summary>
/// The guest's real agent in this process, with a Unix socket where QEMU would have one: it starts real processes on this machine.
/// </summary>
internal sealed class GuestOnHost : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("openshell-").FullName;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);
    private readonly List<IAsyncDisposable> _agents = [];

    private GuestOnHost(AgentServerOptions? options)
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Socket));
        _listener.Listen();
        Server = new AgentServer(
            AgentPort.From(async token => new NetworkStream(await _listener.AcceptAsync(token), ownsSocket: true)),
            _reaper,
            (request, _) =>
            {
                PowerRequests.Add(request);
                return Task.CompletedTask;
            },
            options);
        Config = Server.ConnectAsync();
    }

    public static GuestConfig SomeConfig { get; } = new()
    {
        Mode = GuestMode.Exec,
        Hostname = "test",
        HostTimeUnixNanoseconds = 0,
        Entropy = new byte[32],
    };

    /// <summary>Where QEMU would listen.</summary>
    public string Socket => Path.Combine(_folder, "agent");

    public string BrokerSocket => Path.Combine(_folder, "broker");

    public string Folder => _folder;

    public AgentServer Server { get; }

    public Task<GuestConfig> Config { get; }

    public List<PowerRequest> PowerRequests { get; } = [];

    public List<StageReport> Reports { get; } = [];

    /// <summary>The test's own agent.</summary>
    public GuestAgent Agent { get; private set; } = null!;

    public AgentBroker? Broker { get; private set; }

    public static async Task<GuestOnHost> StartAsync(Route route, AgentServerOptions? options = null)
    {
        var guest = new GuestOnHost(options);
        var token = TestContext.Current.CancellationToken;
        guest.Agent = await GuestAgent.ConnectAsync(guest.Socket, SomeConfig, new Collector(guest.Reports), token);
        guest._agents.Add(guest.Agent);
        if (route == Route.Broker)
        {
            guest.Broker = AgentBroker.Start(guest.BrokerSocket);
            guest.Broker.Attach(guest.Agent);
            guest.Agent = await guest.AttachAsync();
        }
        return guest;
    }

    /// <summary>A further client of the broker.</summary>
    public async Task<GuestAgent> AttachAsync()
    {
        var agent = await GuestAgent.ConnectAsync(BrokerSocket, cancellationToken: TestContext.Current.CancellationToken);
        // Several attach at once.
        lock (_agents)
            _agents.Insert(0, agent);
        return agent;
    }

    public async ValueTask DisposeAsync()
    {
        if (Broker is not null)
            await Broker.DisposeAsync();
        foreach (var agent in _agents)
            await agent.DisposeAsync();
        await Server.DisposeAsync();
        _listener.Dispose();
        _reaper.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class Collector(List<StageReport> reports) : IProgress<StageReport>
    {
        public void Report(StageReport value)
        {
            lock (reports)
                reports.Add(value);
        }
    }
}
