using System.Text;
using OpenShell.Tests.Fuzzing;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Mux;
using OpenShell.Vm.Protocol.Tests.Support;

namespace OpenShell.Vm.Protocol.Tests.Fuzzing;

/// <summary>
/// Sessions that took place, changed in every way that a hostile peer might, at every point, to both sides: nothing may crash, hang, or take more memory than what it was sent allows. With those of
/// <c>OpenShell.Vm.Tests</c> there are more than 100,000 cases (<see cref="FuzzRun"/>); what was reached is printed, and is all that there is to be reached.
/// </summary>
[Collection(typeof(Alone))]
public sealed class FuzzTests
{
    private const uint Epoch = 0x5EED;

    /// <summary>Nothing waits for anything but the peer, who has hung up: far longer than a busy machine takes.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>One of each type, as far as a reader looks at it.</summary>
    private static IReadOnlyList<RecordedFrame> OneOfEach { get; } =
        [.. Enum.GetValues<FrameType>().Select(type => new RecordedFrame(type, 0, 0, type is FrameType.Ready or FrameType.Knock or FrameType.End ? [] : new byte[4]))];

    [Fact]
    public void With_those_of_the_other_programs_there_are_enough_cases()
    {
        var sum = FuzzRun.All.Sum(run => run.Cases);
        Console.Out.WriteLine($"fuzzed in all: {sum} cases, {string.Join(", ", FuzzRun.All.Select(run => $"{run.What} {run.Cases}"))}");
        sum.ShouldBeGreaterThanOrEqualTo(FuzzRun.FewestCases);
    }

    [Fact]
    public async Task A_reader_finds_frames_or_refuses_and_keeps_no_more_than_one()
    {
        // Short ones: the reader does not care what is in a frame.
        RecordedFrame[] handshake = [new(FrameType.Hello, 0, 0, "{}"u8.ToArray()), new(FrameType.Ready, 0, 0, [])];
        var sessions = (await RecordedSessions.RecordAsync()).SelectMany(s => new[] { s.ToHost, s.ToGuest })
            .Select(IReadOnlyList<RecordedFrame> (s) => [.. handshake, .. s.Where(f => f.Payload.Length < 1000).Take(24), .. handshake]).Append(OneOfEach).ToList();
        var reached = new Reached("frame reader");
        FuzzCases.Check(FuzzRun.Reader, sessions.Count, FuzzCases.InEachState(sessions), input =>
        {
            var hunting = input.Pieces % 2 == 0;
            var feed = new Feed(new FrameReader());
            if (hunting)
                feed.Reader.HuntFor(FrameType.Hello, FrameType.Ready);
            var bytes = Mutation.Apply(sessions[input.Session], input.Mutations, Epoch);
            var outcome = "all read";
            try
            {
                for (var at = 0; at < bytes.Length; at += input.Pieces)
                    feed.Offer(bytes.AsSpan(at, Math.Min(input.Pieces, bytes.Length - at)));
                if (feed.Left > 0)
                    outcome = "waits for more";
            }
            catch (ProtocolException e) when (!hunting)
            {
                outcome = e.Code.ToString();
            }

            reached.Add($"{(hunting ? "hunting" : "locked")}, behind {(feed.Types.Count == 0 ? "nothing" : Enum.IsDefined(feed.Types[^1]) ? feed.Types[^1] : "a frame of an unknown type")}", outcome);
            return feed.Left < ProtocolLimits.HeaderSize + ProtocolLimits.MaxPayload
                && feed.Payloads.Sum(p => (long)p.Length) <= bytes.Length
                && (!hunting || feed.Types.All(t => t is FrameType.Hello or FrameType.Ready));
        });

        reached.Print();
        reached.Outcomes.ShouldBe(["all read", "waits for more", nameof(ProtocolCode.LostSync), nameof(ProtocolCode.FrameTooLarge)], ignoreOrder: true);
        reached.ShouldBeIn([
            .. Enum.GetNames<FrameType>().Append("nothing").Append("a frame of an unknown type").Select(type => $"locked, behind {type}"),
            .. ((string[])["nothing", nameof(FrameType.Hello), nameof(FrameType.Ready)]).Select(type => $"hunting, behind {type}"),
        ]);
    }

    [Fact]
    public async Task A_session_ends_with_a_reason_and_leaves_nothing_waiting()
    {
        var sessions = await RecordedSessions.RecordAsync();
        IReadOnlyList<RecordedFrame>[] directions = [.. sessions.SelectMany(s => new[] { s.ToHost, s.ToGuest })];
        var reached = new Reached("session");
        FuzzCases.Check(FuzzRun.Session, directions.Length, FuzzCases.InEachState(directions), input =>
        {
            var number = input.Session / 2;
            var isHost = input.Session % 2 == 0;
            var session = directions[input.Session];
            var bytes = Mutation.Apply(session, input.Mutations, Epoch);
            var (end, written) = ReplayAsync(RecordedSessions.Conversations[number], isHost, bytes, input.Pieces).GetAwaiter().GetResult();

            // The first change is where it was when something happened that never should.
            var at = input.Mutations.Min(m => m.At % session.Count);
            reached.Add($"{(isHost ? "host" : "guest")}, behind {RecordedFrame.StateAt(session, at)}", end.ByPeer ? $"peer's {end.Code}" : end.Code.ToString());

            // What is answered is what was sent, and at most a frame for each frame; what this side says of itself is known.
            return Enum.IsDefined(end.Code) && end.Code != ProtocolCode.Internal && written < 3L * bytes.Length + 800_000;
        });

        reached.Print();
        foreach (var code in (ProtocolCode[])[ProtocolCode.LostSync, ProtocolCode.FrameTooLarge, ProtocolCode.UnknownFrame, ProtocolCode.InvalidFrame, ProtocolCode.InvalidStream, ProtocolCode.FlowControl, ProtocolCode.TransportClosed])
            reached.Outcomes.ShouldContain(code.ToString());
        reached.Outcomes.ShouldContain($"peer's {ProtocolCode.Superseded}");

        // All types of a session, but the one behind which there is nothing more; of messages those that the conversations send either way.
        var types = Enum.GetValues<FrameType>().Where(type => (byte)type >= 16 && type is not (FrameType.GoAway or FrameType.Message)).Select(type => $"{type}");
        string[] states = ["the handshake", .. types, "Message 0x10", "Message 0x12"];
        reached.ShouldBeIn(states.SelectMany(state => new[] { $"host, behind {state}", $"guest, behind {state}" }));
    }

    [Fact]
    public void A_handshake_ends_when_the_other_side_does()
    {
        var reached = new Reached("handshake");
        string[] states = ["host, before hello", "guest, before welcome", "host, behind hello", "guest, behind knock"];
        FuzzCases.Check(FuzzRun.Handshake, states.Length, EachKind(states.Length), input =>
        {
            var outcome = (input.Session % 2 == 0 ? WelcomingAsync(input) : SayingHelloAsync(input)).GetAwaiter().GetResult();
            reached.Add(states[input.Session], outcome);
            return outcome is "ready" or nameof(EndOfStreamException) or nameof(HandshakeException) or nameof(IOException);
        });

        reached.Print();
        reached.ShouldBeIn(states);
        reached.Outcomes.ShouldContain("ready");
        reached.Outcomes.ShouldContain(nameof(EndOfStreamException));
        reached.Outcomes.ShouldContain(nameof(HandshakeException));
    }

    /// <summary>Every kind of change, of the first frame of each state.</summary>
    private static IEnumerable<FuzzCase> EachKind(int states) =>
        from state in Enumerable.Range(0, states)
        from kind in Enum.GetValues<MutationKind>()
        select new FuzzCase(state, 100, [new Mutation(kind, 0, Random.Shared.Next())]);

    /// <summary>A real connection, with everything under way that was when the session was recorded, and a peer that says this.</summary>
    private static async Task<(ConnectionEnd End, long Written)> ReplayAsync(string[] services, bool isHost, byte[] bytes, int pieces)
    {
        var peer = new ScriptedStream(bytes, 1 + pieces * 16);
        await using var transport = new FrameTransport(peer);
        var session = new SessionInfo { Epoch = Epoch, Version = 1, IsHost = isHost, Nonce = new string('0', 32), Peer = "fuzz" };
        await using var connection = MuxConnection.Start(transport, session, RecordedSessions.Services);
        var talks = services.Select(s => RecordedSessions.TalkAsync(connection, s)).ToArray();
        var ping = PingAsync(connection);
        peer.Go();
        var end = await connection.Closed.WaitAsync(Limit);
        await Task.WhenAll([.. talks, ping]).WaitAsync(Limit);
        return (end, peer.Written);
    }

    private static async Task PingAsync(MuxConnection connection)
    {
        try
        {
            await connection.PingAsync();
        }
        catch (MuxStreamException)
        {
            // It is over.
        }
    }

    /// <summary>The host's side: hellos that are changed; or a good one, and behind the welcome a changed READY.</summary>
    private static async Task<string> WelcomingAsync(FuzzCase input)
    {
        var (left, right) = StreamPair.Create(1 << 22);
        await using var host = new FrameTransport(left);
        await using var peer = new FrameTransport(right);
        var welcoming = OutcomeAsync(WelcomeSide.RunAsync(host, null, "fuzz", Token));
        RecordedFrame hello = new(FrameType.Hello, 0, 0, """{"minVersion":1,"maxVersion":1,"nonce":"0123456789abcdef0123456789abcdef","role":"guest","software":"fuzz"}"""u8.ToArray());
        if (input.Session == 0)
        {
            await WriteAsync(peer, Mutation.Apply([hello, hello], input.Mutations, 0));
        }
        else
        {
            await WriteAsync(peer, hello.ToBytes(0));
            peer.Reader.HuntFor(FrameType.Welcome);
            var welcome = await peer.ReceiveAsync(Token);
            var epoch = System.Text.Json.JsonDocument.Parse(welcome.Payload).RootElement.GetProperty("epoch").GetUInt32();
            await WriteAsync(peer, Mutation.Apply([new RecordedFrame(FrameType.Ready, 0, 0, []), hello], input.Mutations, epoch));
        }

        await peer.DisposeAsync();
        return await welcoming.WaitAsync(Limit);
    }

    /// <summary>The guest's side: welcomes that are changed, with the nonce that it asked for, or knocks.</summary>
    private static async Task<string> SayingHelloAsync(FuzzCase input)
    {
        var (left, right) = StreamPair.Create(1 << 22);
        await using var guest = new FrameTransport(left);
        await using var peer = new FrameTransport(right);
        var saying = OutcomeAsync(HelloSide.RunAsync(guest, "guest", "fuzz", Token));
        peer.Reader.HuntFor(FrameType.Hello);
        var hello = await peer.ReceiveAsync(Token);
        var nonce = System.Text.Json.JsonDocument.Parse(hello.Payload).RootElement.GetProperty("nonce").GetString();
        RecordedFrame welcome = new(FrameType.Welcome, 0, 0, Encoding.UTF8.GetBytes($$"""{"nonce":"{{nonce}}","version":1,"epoch":77,"software":"fuzz"}"""));
        RecordedFrame refusal = new(FrameType.Refuse, 0, 0, Encoding.UTF8.GetBytes($$"""{"nonce":"{{nonce}}","minVersion":2,"maxVersion":3}"""));
        RecordedFrame knock = new(FrameType.Knock, 0, 0, []);
        await WriteAsync(peer, Mutation.Apply(input.Session == 1 ? [welcome] : [knock, refusal, welcome], input.Mutations, 0));
        await peer.DisposeAsync();
        return await saying.WaitAsync(Limit);
    }

    private static async Task<string> OutcomeAsync(Task handshake)
    {
        try
        {
            await handshake;
            return "ready";
        }
        catch (IOException e)
        {
            return e.GetType().Name;
        }
    }

    private static async Task WriteAsync(FrameTransport peer, byte[] bytes)
    {
        try
        {
            if (bytes.Length > 0)
                await peer.Stream.WriteAsync(bytes, Token);
        }
        catch (IOException)
        {
            // The other side has hung up already.
        }
    }
}
