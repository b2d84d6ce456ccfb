using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;
using OpenShell.Vm.Protocol.Tests.Support;

namespace OpenShell.Vm.Protocol.Tests.Handshake;

public sealed class HandshakeTests
{
    private static readonly GuestConfig Config = new() { Mode = GuestMode.Exec, Hostname = "h", HostTimeUnixNanoseconds = 1, Entropy = [1] };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task Both_sides_agree_on_version_and_epoch_and_the_guest_gets_its_configuration()
    {
        var (left, right) = StreamPair.Create();
        await using var host = new FrameTransport(left);
        await using var guest = new FrameTransport(right);

        var welcoming = WelcomeSide.RunAsync(host, () => Config, "host 1", Token);
        var (session, config) = await HelloSide.RunAsync(guest, "guest", "guest 1", Token);

        var hostSession = await welcoming;
        config.ShouldNotBeNull().Hostname.ShouldBe("h");
        (session.Epoch, session.Version, session.IsHost).ShouldBe((hostSession.Epoch, 1, false));
        (hostSession.IsHost, hostSession.Peer, session.Peer).ShouldBe((true, "guest guest 1", "host host 1"));
        session.Epoch.ShouldNotBe(0u);
    }

    [Fact(Timeout = 30_000)]
    public async Task The_guest_repeats_its_hello_until_a_host_listens()
    {
        var (left, right) = StreamPair.Create();
        await using var guest = new FrameTransport(right);
        var hello = HelloSide.RunAsync(guest, "guest", null, Token);
        await using var ears = new FrameTransport(left);
        ears.Reader.HuntFor(FrameType.Hello);
        var first = await ears.ReceiveAsync(Token);
        var second = await ears.ReceiveAsync(Token);

        second.Payload.ShouldBe(first.Payload);
        await WelcomeSide.RunAsync(ears, null, null, Token);
        await hello;
    }

    [Fact(Timeout = 30_000)]
    public async Task Garbage_of_an_earlier_session_in_both_directions_is_skipped()
    {
        var (left, right) = StreamPair.Create();
        var stale = FrameWriter.ToArray(99, FrameType.Message, 0x12, 1, new byte[1000]);
        await left.WriteAsync(stale.AsMemory(500), Token);
        await right.WriteAsync(stale.AsMemory(300), Token);
        await right.WriteAsync(FrameWriter.ToArray(99, FrameType.Ready, 0, 0, []), Token);

        await HandshakeOverAsync(left, right);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_guest_in_the_middle_of_a_cut_frame_is_woken_by_padding()
    {
        var (left, right) = StreamPair.Create(buffer: 1_000_000);
        // The rest of this frame will never come: what the new host says first is taken for it.
        await left.WriteAsync(FrameWriter.ToArray(99, FrameType.Message, 0x10, 1, new byte[60_000]).AsMemory(0, 2_000), Token);
        await using var guestTransport = new FrameTransport(right);
        var old = new SessionInfo { Epoch = 99, Version = 1, IsHost = false, Nonce = "old", Peer = "old host" };
        await using var oldConnection = MuxConnection.Start(guestTransport, old, _ => null);

        await using var host = new FrameTransport(left);
        var welcoming = WelcomeSide.RunAsync(host, null, null, Token);
        (await oldConnection.Closed.WaitAsync(Token)).Code.ShouldBe(ProtocolCode.LostSync);
        var (session, _) = await HelloSide.RunAsync(guestTransport, "guest", null, Token);

        (await welcoming).Epoch.ShouldBe(session.Epoch);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_guest_that_still_talks_to_an_earlier_host_hears_the_knock()
    {
        var (left, right) = StreamPair.Create();
        await using var guestTransport = new FrameTransport(right);
        await using var firstHost = new FrameTransport(left);
        var (session, _) = await ShakeAsync(firstHost, guestTransport);
        await using var connection = MuxConnection.Start(guestTransport, session, _ => null);

        // The same bytes go on to another host, as after a resume.
        await using var secondHost = new FrameTransport(left);
        var welcoming = WelcomeSide.RunAsync(secondHost, null, null, Token);
        (await connection.Closed.WaitAsync(Token)).Code.ShouldBe(ProtocolCode.Superseded);
        var (next, _) = await HelloSide.RunAsync(guestTransport, "guest", null, Token);

        (await welcoming).Epoch.ShouldBe(next.Epoch);
        next.Epoch.ShouldNotBe(session.Epoch);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_host_notices_that_its_guest_began_anew()
    {
        var (left, right) = StreamPair.Create();
        await using var hostTransport = new FrameTransport(left);
        await using var guestTransport = new FrameTransport(right);
        var (_, session) = await ShakeAsync(hostTransport, guestTransport);
        await using var connection = MuxConnection.Start(hostTransport, session, _ => null);
        using var enough = new CancellationTokenSource();

        var hello = HelloSide.RunAsync(guestTransport, "guest", null, enough.Token);

        (await connection.Closed.WaitAsync(Token)).Code.ShouldBe(ProtocolCode.Superseded);
        await enough.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(hello);
    }

    [Fact(Timeout = 30_000)]
    public async Task Answers_to_another_hello_are_not_taken_for_ones_own()
    {
        var (left, right) = StreamPair.Create();
        await left.WriteAsync(Answer(FrameType.Welcome, """{"nonce":"stale","version":1,"epoch":5}"""), Token);
        await left.WriteAsync(Answer(FrameType.Refuse, """{"nonce":"stale","minVersion":8,"maxVersion":9}"""), Token);
        await left.WriteAsync(Answer(FrameType.Welcome, "no JSON"), Token);

        await HandshakeOverAsync(left, right);
    }

    [Theory(Timeout = 30_000)]
    [InlineData(2, 9)]
    [InlineData(0, 0)]
    public async Task Without_a_common_version_both_sides_say_so(int min, int max)
    {
        var (left, right) = StreamPair.Create();
        await using var host = new FrameTransport(left);
        await using var guest = new FrameTransport(right);
        guest.Reader.HuntFor(FrameType.Refuse);
        await right.WriteAsync(Answer(FrameType.Hello, $$"""{"nonce":"n","minVersion":{{min}},"maxVersion":{{max}},"role":"guest"}"""), Token);

        var error = await Should.ThrowAsync<HandshakeException>(WelcomeSide.RunAsync(host, null, null, Token));

        error.Message.ShouldContain($"{min} to {max}");
        (await guest.ReceiveAsync(Token)).Header.Type.ShouldBe(FrameType.Refuse);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_guest_that_is_refused_knows_why()
    {
        var (left, right) = StreamPair.Create();
        await using var guest = new FrameTransport(right);
        await using var host = new FrameTransport(left);
        var hello = HelloSide.RunAsync(guest, "guest", null, Token);
        host.Reader.HuntFor(FrameType.Hello);
        var nonce = System.Text.Json.JsonSerializer.Deserialize((await host.ReceiveAsync(Token)).Payload, ProtocolJson.Default.Hello)!.Nonce;

        await left.WriteAsync(Answer(FrameType.Refuse, $$"""{"nonce":"{{nonce}}","minVersion":8,"maxVersion":9}"""), Token);

        (await Should.ThrowAsync<HandshakeException>(hello)).Message.ShouldContain("8 to 9");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_guest_that_goes_away_during_the_handshake_is_an_end_of_stream()
    {
        var (left, right) = StreamPair.Create();
        await using var host = new FrameTransport(left);
        var welcoming = WelcomeSide.RunAsync(host, null, null, Token);
        await right.DisposeAsync();

        await Should.ThrowAsync<EndOfStreamException>(welcoming);
    }

    private static byte[] Answer(FrameType type, string json) => FrameWriter.ToArray(0, type, 0, 0, System.Text.Encoding.UTF8.GetBytes(json));

    private static async Task HandshakeOverAsync(Stream left, Stream right)
    {
        await using var host = new FrameTransport(left);
        await using var guest = new FrameTransport(right);
        var (session, hostSession) = await ShakeAsync(host, guest);
        hostSession.Epoch.ShouldBe(session.Epoch);
        await using var connection = MuxConnection.Start(host, hostSession, _ => null);
        await using var other = MuxConnection.Start(guest, session, _ => null);
        await connection.PingAsync(Token);
    }

    private static async Task<(SessionInfo Guest, SessionInfo Host)> ShakeAsync(FrameTransport host, FrameTransport guest)
    {
        var welcoming = WelcomeSide.RunAsync(host, null, null, Token);
        var (session, _) = await HelloSide.RunAsync(guest, "guest", null, Token);
        return (session, await welcoming);
    }
}
