using System.Security.Cryptography;
using System.Text;
using OpenShell.Vm.Protocol.Mux;
using OpenShell.Vm.Protocol.Tests.Support;

namespace OpenShell.Vm.Protocol.Tests.Mux;

public sealed class MuxConnectionTests
{
    private const byte Data = 0x01;

    private static CancellationToken Timeout => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task A_call_is_answered()
    {
        await using var session = await Session.StartAsync("upper", MuxCall.Handler((request, _) =>
            Task.FromResult(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(request.Span).ToUpperInvariant()))));

        var reply = await session.Host.CallAsync("upper", "hello"u8.ToArray(), Timeout);

        Encoding.UTF8.GetString(reply).ShouldBe("HELLO");
    }

    [Fact(Timeout = 30_000)]
    public async Task The_guest_can_open_streams_too()
    {
        await using var session = await Session.StartAsync(_ => null, name => name == "echo" ? EchoAsync : null);

        await using var stream = session.Guest.OpenStream("echo");
        await stream.WriteAsync(Data, "from the guest"u8.ToArray(), Timeout);
        using var message = (await stream.ReadAsync(Timeout)).ShouldNotBeNull();

        Encoding.UTF8.GetString(message.Payload.Span).ShouldBe("from the guest");
        stream.Id.ShouldBe(2u);
    }

    [Fact(Timeout = 30_000)]
    public async Task An_unknown_service_is_a_clean_error_and_the_connection_goes_on()
    {
        await using var session = await Session.StartAsync("echo", EchoAsync);

        var error = await Should.ThrowAsync<MuxStreamException>(() => session.Host.CallAsync("nothing", default, Timeout));

        error.Code.ShouldBe(ProtocolCode.UnknownService);
        error.Message.ShouldContain("nothing");
        await session.Host.PingAsync(Timeout);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_hundred_megabytes_arrive_intact_both_ways_at_once()
    {
        const int Size = 100_000_000;
        await using var session = await Session.StartAsync("echo", EchoAsync);
        await using var stream = session.Host.OpenStream("echo");

        var sending = SendAsync(stream, Size);
        var received = await HashAsync(stream);

        var sent = await sending;
        received.Hash.ShouldBe(sent);
        received.Length.ShouldBe(Size);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_stream_that_nobody_reads_blocks_no_other()
    {
        await using var session = await Session.StartAsync(name => name == "flood" ? FloodAsync : EchoAsync);
        await using var unread = session.Host.OpenStream("flood");
        using var first = (await unread.ReadAsync(Timeout)).ShouldNotBeNull();

        for (var i = 0; i < 100; i++)
        {
            await using var stream = session.Host.OpenStream("echo");
            await stream.WriteAsync(Data, new byte[1000], Timeout);
            using var message = (await stream.ReadAsync(Timeout)).ShouldNotBeNull();
            message.Payload.Length.ShouldBe(1000);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task A_sender_gets_no_further_than_its_credit()
    {
        await using var session = await Session.StartAsync("hold", (_, token) => Task.Delay(System.Threading.Timeout.Infinite, token));
        await using var stream = session.Host.OpenStream("hold");
        using var giveUp = new CancellationTokenSource();
        var sent = 0;
        for (; ; sent++)
        {
            var write = stream.WriteAsync(Data, new byte[1000], giveUp.Token).AsTask();
            // What had credit was written before the ping was; it only has yet to be told so.
            await session.Host.PingAsync(Timeout);
            if (await Task.WhenAny(write, Task.Delay(TimeSpan.FromSeconds(1), Timeout)) != write)
                break;
        }

        await giveUp.CancelAsync();
        sent.ShouldBe(ProtocolLimits.StreamWindow / (1000 + ProtocolLimits.MessageOverhead));
    }

    [Fact(Timeout = 30_000)]
    public async Task Half_closing_ends_one_direction_only()
    {
        await using var session = await Session.StartAsync("count", async (stream, token) =>
        {
            var count = 0;
            while (await stream.ReadAsync(token) is { } message)
            {
                message.Dispose();
                count++;
            }
            await stream.WriteAsync(Data, new[] { (byte)count }, token);
        });
        await using var stream = session.Host.OpenStream("count");
        for (var i = 0; i < 7; i++)
            await stream.WriteAsync(Data, default, Timeout);
        await stream.CompleteWritesAsync(Timeout);

        using var message = (await stream.ReadAsync(Timeout)).ShouldNotBeNull();
        message.Payload.Span[0].ShouldBe((byte)7);
        (await stream.ReadAsync(Timeout)).ShouldBeNull();
        await Should.ThrowAsync<Exception>(() => stream.WriteAsync(Data, default, Timeout).AsTask());
    }

    [Fact(Timeout = 30_000)]
    public async Task What_was_sent_before_the_end_is_readable_even_when_the_sender_wants_no_more()
    {
        await using var session = await Session.StartAsync("answer", (stream, token) => stream.WriteAsync(Data, "done"u8.ToArray(), token).AsTask());
        await using var stream = session.Host.OpenStream("answer");

        // The guest's RESET has arrived once writing fails, since it never reads.
        await Should.ThrowAsync<MuxStreamException>(async () =>
        {
            while (true)
                await stream.WriteAsync(Data, new byte[100], Timeout);
        });

        using var message = (await stream.ReadAsync(Timeout)).ShouldNotBeNull();
        Encoding.UTF8.GetString(message.Payload.Span).ShouldBe("done");
        (await stream.ReadAsync(Timeout)).ShouldBeNull();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_handler_that_throws_resets_its_stream_with_its_code_and_text()
    {
        await using var session = await Session.StartAsync("fail", (_, _) => throw new MuxStreamException(ProtocolCode.NotFound, "no such thing"));

        var error = await Should.ThrowAsync<MuxStreamException>(() => session.Host.CallAsync("fail", default, Timeout));

        error.Code.ShouldBe(ProtocolCode.NotFound);
        error.Message.ShouldBe("no such thing");
    }

    [Fact(Timeout = 30_000)]
    public async Task Disposing_a_stream_cancels_its_handler_also_after_its_end()
    {
        var cancelled = new TaskCompletionSource();
        await using var session = await Session.StartAsync("wait", (_, token) =>
        {
            token.Register(cancelled.SetResult);
            return Task.Delay(System.Threading.Timeout.Infinite, token);
        });
        var stream = session.Host.OpenStream("wait");
        await stream.CompleteWritesAsync(Timeout);
        await stream.DisposeAsync();

        await cancelled.Task.WaitAsync(Timeout);
    }

    [Fact(Timeout = 30_000)]
    public async Task Closing_a_connection_fails_its_streams_on_both_sides()
    {
        var cancelled = new TaskCompletionSource();
        await using var session = await Session.StartAsync("wait", (_, token) =>
        {
            token.Register(cancelled.SetResult);
            return Task.Delay(System.Threading.Timeout.Infinite, token);
        });
        var stream = session.Host.OpenStream("wait");
        await session.Host.PingAsync(Timeout);
        await session.Host.DisposeAsync();

        await Should.ThrowAsync<MuxStreamException>(() => stream.ReadAsync(Timeout).AsTask());
        await cancelled.Task.WaitAsync(Timeout);
        (await session.Guest.Closed.WaitAsync(Timeout)).ByPeer.ShouldBeTrue();
        Should.Throw<MuxStreamException>(() => session.Host.OpenStream("wait"));
    }

    [Fact(Timeout = 30_000)]
    public async Task One_stream_more_than_the_limit_is_refused_until_another_ends()
    {
        await using var session = await Session.StartAsync("echo", EchoAsync);
        var streams = Enumerable.Range(0, ProtocolLimits.MaxStreams).Select(_ => session.Host.OpenStream("echo")).ToList();

        Should.Throw<MuxStreamException>(() => session.Host.OpenStream("echo")).Code.ShouldBe(ProtocolCode.TooManyStreams);
        await streams[17].DisposeAsync();
        await using var another = session.Host.OpenStream("echo");
        await another.WriteAsync(Data, default, Timeout);
        using var message = await another.ReadAsync(Timeout);
        message.ShouldNotBeNull();
    }

    [Fact(Timeout = 30_000)]
    public async Task Fifty_streams_at_once_keep_their_bytes_apart()
    {
        await using var session = await Session.StartAsync("echo", EchoAsync);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            await using var stream = session.Host.OpenStream("echo");
            var sending = SendAsync(stream, 1_000_000);
            var received = await HashAsync(stream);
            received.Hash.ShouldBe(await sending);
        }));
    }

    [Fact(Timeout = 30_000)]
    public async Task Names_and_requests_that_are_too_long_are_refused_before_they_are_sent()
    {
        await using var session = await Session.StartAsync("echo", EchoAsync);

        Should.Throw<ArgumentException>(() => session.Host.OpenStream(new string('a', ProtocolLimits.MaxServiceName + 1)));
        Should.Throw<ArgumentException>(() => session.Host.OpenStream("Größe"));
        Should.Throw<ArgumentException>(() => session.Host.OpenStream("echo", new byte[ProtocolLimits.MaxPayload]));
        await using var stream = session.Host.OpenStream("echo");
        await Should.ThrowAsync<ArgumentException>(() => stream.WriteAsync(Data, new byte[ProtocolLimits.MaxPayload + 1], Timeout).AsTask());
        await session.Host.PingAsync(Timeout);
    }

    private static async Task EchoAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        while (await stream.ReadAsync(cancellationToken) is { } message)
        {
            using (message)
                await stream.WriteAsync(message.Kind, message.Payload, cancellationToken);
        }
    }

    private static async Task FloodAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        while (true)
            await stream.WriteAsync(Data, new byte[ProtocolLimits.MaxPayload], cancellationToken);
    }

    private static async Task<string> SendAsync(MuxStream stream, int size)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(size);
        var buffer = new byte[ProtocolLimits.MaxPayload];
        for (var left = size; left > 0;)
        {
            var chunk = buffer.AsMemory(0, Math.Min(left, random.Next(1, buffer.Length)));
            random.NextBytes(chunk.Span);
            hash.AppendData(chunk.Span);
            await stream.WriteAsync(Data, chunk, Timeout);
            left -= chunk.Length;
        }
        await stream.CompleteWritesAsync(Timeout);
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static async Task<(string Hash, long Length)> HashAsync(MuxStream stream)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long length = 0;
        while (await stream.ReadAsync(Timeout) is { } message)
        {
            using (message)
            {
                hash.AppendData(message.Payload.Span);
                length += message.Payload.Length;
            }
        }
        return (Convert.ToHexString(hash.GetHashAndReset()), length);
    }
}
