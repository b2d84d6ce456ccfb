using System.Buffers.Binary;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Mux;
using OpenShell.Vm.Protocol.Tests.Support;

namespace OpenShell.Vm.Protocol.Tests.Mux;

/// <summary>A peer that breaks the rules loses its session with the right code; nothing is clamped, guessed or kept.</summary>
public sealed class HostilePeerTests
{
    private static readonly byte[] OpenEcho = OpenPayload.Encode("hold", default);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string, ProtocolCode, (FrameType Type, uint Stream, byte Kind, byte[] Payload)[]> Crimes { get; } = new()
    {
        { "an unknown type", ProtocolCode.UnknownFrame, [((FrameType)99, 0, 0, [])] },
        { "an odd stream from the guest", ProtocolCode.InvalidStream, [(FrameType.Open, 3, 0, OpenEcho)] },
        { "stream 0", ProtocolCode.InvalidStream, [(FrameType.Open, 0, 0, OpenEcho)] },
        { "a stream twice", ProtocolCode.InvalidStream, [(FrameType.Open, 2, 0, OpenEcho), (FrameType.Open, 2, 0, OpenEcho)] },
        { "an older stream", ProtocolCode.InvalidStream, [(FrameType.Open, 8, 0, OpenEcho), (FrameType.Open, 2, 0, OpenEcho)] },
        { "a message on a stream that was never opened", ProtocolCode.InvalidStream, [(FrameType.Message, 2, 0, [])] },
        { "a message on a stream of the host that was never opened", ProtocolCode.InvalidStream, [(FrameType.Message, 1, 0, [])] },
        { "a message on the connection", ProtocolCode.InvalidStream, [(FrameType.Message, 0, 0, [])] },
        { "a message after the end", ProtocolCode.InvalidStream, [(FrameType.Open, 2, 0, OpenEcho), (FrameType.End, 2, 0, []), (FrameType.Message, 2, 0, [])] },
        { "a second end", ProtocolCode.InvalidStream, [(FrameType.Open, 2, 0, OpenEcho), (FrameType.End, 2, 0, []), (FrameType.End, 2, 0, [])] },
        { "a ping on a stream", ProtocolCode.InvalidStream, [(FrameType.Ping, 2, 0, new byte[8])] },
        { "no name", ProtocolCode.InvalidFrame, [(FrameType.Open, 2, 0, [])] },
        { "an empty name", ProtocolCode.InvalidFrame, [(FrameType.Open, 2, 0, [0])] },
        { "a name that is cut", ProtocolCode.InvalidFrame, [(FrameType.Open, 2, 0, [9, (byte)'a'])] },
        { "a name with a slash", ProtocolCode.InvalidFrame, [(FrameType.Open, 2, 0, "\u0003a/b"u8.ToArray())] },
        { "a name that is too long", ProtocolCode.InvalidFrame, [(FrameType.Open, 2, 0, [65, .. Enumerable.Repeat((byte)'a', 65)])] },
        { "a credit of nothing", ProtocolCode.InvalidFrame, [(FrameType.Open, 2, 0, OpenEcho), (FrameType.Credit, 2, 0, new byte[4])] },
        { "a short credit", ProtocolCode.InvalidFrame, [(FrameType.Open, 2, 0, OpenEcho), (FrameType.Credit, 2, 0, [1])] },
        { "more credit than there can be", ProtocolCode.FlowControl, [(FrameType.Open, 2, 0, OpenEcho), (FrameType.Credit, 2, 0, [255, 255, 255, 255])] },
        { "a short ping", ProtocolCode.InvalidFrame, [(FrameType.Ping, 0, 0, new byte[7])] },
        { "a reset without a code", ProtocolCode.InvalidFrame, [(FrameType.Open, 2, 0, OpenEcho), (FrameType.Reset, 2, 0, [1])] },
        { "a kind where there is none", ProtocolCode.InvalidFrame, [(FrameType.Ping, 0, 1, new byte[8])] },
        { "more than the credit", ProtocolCode.FlowControl, [(FrameType.Open, 2, 0, OpenEcho), .. Enumerable.Repeat((FrameType.Message, 2u, (byte)0, new byte[60_000]), 5)] },
        { "more empty messages than the credit", ProtocolCode.FlowControl, [(FrameType.Open, 2, 0, OpenEcho), .. Enumerable.Repeat((FrameType.Message, 2u, (byte)0, Array.Empty<byte>()), 4097)] },
    };

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Crimes))]
    public async Task Breaking_a_rule_ends_the_session_with_its_code(string name, ProtocolCode code, (FrameType Type, uint Stream, byte Kind, byte[] Payload)[] frames)
    {
        _ = name;
        await using var peer = await RawPeer.StartAsync(Hold, buffer: 10_000_000);
        foreach (var (type, stream, kind, payload) in frames)
            await peer.SendAsync(type, stream, payload, kind);

        var end = await peer.Host.Closed.WaitAsync(Token);

        (end.Code, end.ByPeer).ShouldBe((code, false));
        var last = await FindAsync(peer, FrameType.GoAway);
        BinaryPrimitives.ReadUInt32LittleEndian(last.Payload).ShouldBe((uint)code);
    }

    [Fact(Timeout = 30_000)]
    public async Task Garbage_in_a_session_ends_it()
    {
        await using var peer = await RawPeer.StartAsync(Hold);
        await peer.SendAsync("garbage"u8.ToArray());

        (await peer.Host.Closed.WaitAsync(Token)).Code.ShouldBe(ProtocolCode.LostSync);
    }

    [Fact(Timeout = 30_000)]
    public async Task Whole_frames_of_an_earlier_epoch_are_skipped()
    {
        await using var peer = await RawPeer.StartAsync(Hold);
        await peer.SendAsync(FrameWriter.ToArray(peer.Session.Epoch + 1, (FrameType)99, 0, 77, "stale"u8));

        await AnswersPingAsync(peer);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_flood_of_pings_by_a_peer_that_does_not_read_ends_the_session()
    {
        await using var peer = await RawPeer.StartAsync(Hold);
        var flood = Enumerable.Range(0, 1000).SelectMany(_ => FrameWriter.ToArray(peer.Session.Epoch, FrameType.Ping, 0, 0, new byte[8])).ToArray();
        var flooding = Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
                await peer.SendAsync(flood);
        }, Token);

        (await peer.Host.Closed.WaitAsync(Token)).Code.ShouldBe(ProtocolCode.Flood);
    }

    [Fact(Timeout = 30_000)]
    public async Task Streams_opened_and_dropped_at_speed_do_not_pile_up_handlers()
    {
        var running = 0;
        var most = 0;
        var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = await RawPeer.StartAsync(_ => async (_, _) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            began.TrySetResult();
            await Task.Delay(200, Token);
            Interlocked.Decrement(ref running);
        });
        _ = DrainAsync(peer);
        for (uint id = 2; id < 4000; id += 2)
        {
            await peer.SendAsync(FrameType.Open, id, OpenEcho);
            await peer.SendAsync(FrameType.Reset, id, new byte[4]);
        }

        await began.Task.WaitAsync(Token);
        await peer.SendAsync(FrameType.GoAway, 0, new byte[4]);
        (await peer.Host.Closed.WaitAsync(Token)).Code.ShouldNotBe(ProtocolCode.Internal);
        most.ShouldBeInRange(1, ProtocolLimits.MaxHandlers);
    }

    [Fact(Timeout = 60_000)]
    public async Task Random_frames_in_any_order_never_hang_or_break_the_host()
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            await using var peer = await RawPeer.StartAsync(Hold, buffer: 10_000_000);
            for (var i = 0; i < 20; i++)
                await peer.SendAsync(RandomFrame(random, peer.Session.Epoch));
            await peer.SendAsync(FrameType.GoAway, 0, new byte[4]);

            (await peer.Host.Closed.WaitAsync(Token)).Code.ShouldNotBe(ProtocolCode.Internal, $"the frames of {seed}");
        }
    }

    /// <summary>Mostly plausible: types that exist, a few streams, sizes that fit, now and then a damaged one.</summary>
    private static byte[] RandomFrame(Random random, uint epoch)
    {
        var type = (FrameType)random.Next(16, 25);
        var payload = type switch
        {
            FrameType.Open => OpenEcho,
            FrameType.Credit => BitConverter.GetBytes(random.Next(0, 100_000)),
            FrameType.Ping or FrameType.Pong => new byte[8],
            FrameType.Reset or FrameType.GoAway => new byte[random.Next(4, 20)],
            FrameType.Message => new byte[random.Next(0, 30_000)],
            _ => [],
        };
        var stream = type is FrameType.Ping or FrameType.Pong or FrameType.GoAway ? 0 : (uint)random.Next(0, 8);
        var frame = FrameWriter.ToArray(random.Next(20) == 0 ? epoch + 1 : epoch, type, type == FrameType.Message ? (byte)random.Next(256) : (byte)0, stream, payload);
        if (random.Next(30) == 0)
            frame[random.Next(frame.Length)] ^= 0x40;
        return frame;
    }

    private static MuxStreamHandler? Hold(string service) =>
        service == "hold" ? (_, token) => Task.Delay(Timeout.Infinite, token) : null;

    private static async Task AnswersPingAsync(RawPeer peer)
    {
        await peer.SendAsync(FrameType.Ping, 0, [1, 2, 3, 4, 5, 6, 7, 8]);
        (await FindAsync(peer, FrameType.Pong)).Payload.ShouldBe([1, 2, 3, 4, 5, 6, 7, 8]);
    }

    private static async Task<(FrameType Type, uint Stream, byte[] Payload)> FindAsync(RawPeer peer, FrameType type)
    {
        while (true)
        {
            var frame = await peer.ReceiveAsync();
            if (frame.Type == type)
                return frame;
        }
    }

    /// <summary>Reads until the test is over.</summary>
    private static async Task DrainAsync(RawPeer peer)
    {
        while (true)
            await peer.ReceiveAsync();
    }
}
