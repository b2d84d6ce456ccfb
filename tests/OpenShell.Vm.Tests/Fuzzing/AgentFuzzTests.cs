using System.Net.Sockets;
using OpenShell.Tests.Fuzzing;
using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Tests.Guests;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>
/// The host's agent, the broker and the guest's server, each against a peer that shakes hands properly and then says what was really said once, changed. Every request must come to an end, and the next peer be served.
/// What becomes of a supervisor is in <see cref="SupervisorFuzzTests"/>. Together with those of the protocol's own tests there are more than 100,000 cases (<see cref="FuzzRun"/>).
/// </summary>
[Collection(typeof(Alone))]
public sealed class AgentFuzzTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TestFolder _folder = new();
    private readonly WatchedGuest _watched;
    private readonly AgentConversation _conversation;
    private string? _failure;

    public AgentFuzzTests()
    {
        _watched = new WatchedGuest(_folder);
        _conversation = new AgentConversation(_folder, _watched);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Whatever_a_guest_says_every_request_of_the_host_ends()
    {
        var (toHost, _) = await _conversation.RecordAsync(Limit);
        using var listener = Listen("hostile");
        var reached = new Reached("host's agent, fourteen requests to a case");
        var witness = new Witness(_folder.Path, _conversation.Taken);
        FuzzCases.Check(FuzzRun.Host, 1, FuzzCases.InEachState([toHost]), input => Holds(async () =>
        {
            var agentTask = GuestAgent.ConnectAsync(_folder.File("hostile"), progress: _conversation.Reports, cancellationToken: Token);
            using var socket = await listener.AcceptAsync(Token);
            await using var transport = new FrameTransport(new NetworkStream(socket));
            var (session, _) = await HelloSide.RunAsync(transport, "guest", "fuzz", Token);
            await using var agent = await agentTask;
            var outcomes = _conversation.TalkAsync(agent);
            var reading = DrainAsync(socket);
            await SendAsync(socket, Mutation.Apply(toHost, input.Mutations, session.Epoch), input.Pieces);
            foreach (var outcome in await outcomes.WaitAsync(Limit, Token))
                reached.Add(StateOf(toHost, input), outcome);
            await agent.Closed.WaitAsync(Limit, Token);
            socket.Close();
            await reading.WaitAsync(Limit, Token);

            // What was copied is where it was wanted, and of what could not be nothing is left beside it.
            witness.ShouldSeeNoChange();
            Directory.EnumerateFileSystemEntries(_conversation.Taken).Select(Path.GetFileName).Except(["file", "tree"]).ShouldBeEmpty();
            _conversation.Unclean.ShouldBeEmpty();
            _conversation.Clear();
        }));

        reached.Print();
        _failure.ShouldBeNull();
        reached.Outcomes.ShouldContain("done");
        reached.Outcomes.ShouldContain("guest.connection-lost");
        reached.ShouldBeIn(AgentConversation.StatesOfHost);
    }

    [Fact]
    public async Task Whatever_a_host_says_the_guest_serves_the_next_one()
    {
        var (_, toGuest) = await _conversation.RecordAsync(Limit);
        using var listener = Listen("guest");
        using var reaper = new ChildReaper(ReaperScope.TrackedOnly);
        await using var server = new AgentServer(AgentPort.From(async token => new NetworkStream(await listener.AcceptAsync(token), ownsSocket: true)), reaper, (_, _) => Task.CompletedTask, _watched.Options);
        _ = server.ConnectAsync(Token);
        Attack(FuzzRun.Guest, "guest", toGuest);
        await using var agent = await GuestAgent.ConnectAsync(_folder.File("guest"), GuestOnHost.SomeConfig, null, Token);
        await ServedRightlyAsync(agent);
    }

    [Fact]
    public async Task Whatever_a_client_says_the_broker_serves_the_next_one()
    {
        var (_, toGuest) = await _conversation.RecordAsync(Limit);
        await using var guest = await GuestOnHost.StartAsync(Route.Broker, _watched.Options);
        Attack(FuzzRun.Broker, guest.BrokerSocket, toGuest);
        await using var agent = await guest.AttachAsync();
        await ServedRightlyAsync(agent);
    }

    /// <summary>The next one is served; and of what was asked of the machine, only what may be asked was done, and its files are whole.</summary>
    private async Task ServedRightlyAsync(GuestAgent agent)
    {
        (await _conversation.TalkAsync(agent).WaitAsync(Limit, Token)).ShouldBe(_conversation.Expected);
        await _watched.Behind.WaitAsync(Limit, Token);
        _watched.Wrong.ShouldBeEmpty();
        _watched.Becomings.ShouldBeGreaterThan(1);
    }

    private void Attack(FuzzRun run, string socketName, IReadOnlyList<RecordedFrame> toGuest)
    {
        var reached = new Reached(run.What);
        var left = 0;
        FuzzCases.Check(run, 1, FuzzCases.InEachState([toGuest]), input => Holds(async () => left += await AttackAsync(socketName, toGuest, input, reached) ? 0 : 1));

        reached.Print();
        _failure.ShouldBeNull();
        left.ShouldBeLessThan(run.Cases / 4, "cases that would have written elsewhere on this machine");
        reached.ShouldBeIn(AgentConversation.StatesOfGuest);
    }

    /// <summary>A host that sends this, and hangs up; the server must hang up too. False: it was not sent, since it would be obeyed.</summary>
    private async Task<bool> AttackAsync(string socketName, IReadOnlyList<RecordedFrame> toGuest, FuzzCase input, Reached reached)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.IsPathRooted(socketName) ? socketName : _folder.File(socketName)), Token);
        await using var transport = new FrameTransport(new NetworkStream(socket));
        var session = await WelcomeSide.RunAsync(transport, null, "fuzz", Token).WaitAsync(Limit, Token);
        var bytes = Mutation.Apply(toGuest, input.Mutations, session.Epoch);
        if (!_conversation.IsHarmless(bytes))
            return false;

        // With a word of farewell: a server whose hosts are only cut off waits longer and longer for the next.
        await SendAsync(socket, [.. bytes, .. FrameWriter.ToArray(session.Epoch, FrameType.GoAway, 0, 0, new byte[4])], input.Pieces, close: false);
        var reading = DrainAsync(socket);
        Shutdown(socket);
        reached.Add(StateOf(toGuest, input), await reading.WaitAsync(Limit, Token) ? "answered" : "silent");
        return true;
    }

    /// <summary>The case as a property: its first failure is kept, since FsCheck tells only the case.</summary>
    private bool Holds(Func<Task> work)
    {
        try
        {
            work().GetAwaiter().GetResult();
            return true;
        }
        catch (Exception e)
        {
            _failure ??= e.ToString();
            throw;
        }
    }

    private static string StateOf(IReadOnlyList<RecordedFrame> session, FuzzCase input) => RecordedFrame.StateAt(session, input.Mutations.Min(m => m.At % session.Count));

    private Socket Listen(string name)
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_folder.File(name)));
        listener.Listen();
        return listener;
    }

    private static async Task SendAsync(Socket socket, byte[] bytes, int pieces, bool close = true)
    {
        try
        {
            for (var at = 0; at < bytes.Length; at += pieces * 16)
                await socket.SendAsync(bytes.AsMemory(at, Math.Min(pieces * 16, bytes.Length - at)), Token);
        }
        catch (SocketException)
        {
            // The other side has had enough.
        }

        if (close)
            Shutdown(socket);
    }

    private static void Shutdown(Socket socket)
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // It was first.
        }
    }

    /// <summary>Reads until the other side hangs up.</summary>
    private static async Task<bool> DrainAsync(Socket socket)
    {
        var buffer = new byte[65536];
        var any = false;
        try
        {
            while (await socket.ReceiveAsync(buffer, Token) > 0)
                any = true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Gone as well.
        }

        return any;
    }
}
