using OpenShell.Tests.Fuzzing;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Mux;
using OpenShell.Vm.Protocol.Tests.Support;

namespace OpenShell.Vm.Protocol.Tests.Fuzzing;

/// <summary>Sessions of real connections, written down as they took place: what the host was sent, and what the guest was.</summary>
internal static class RecordedSessions
{
    /// <summary>Services of both sides in these sessions, and while they are replayed.</summary>
    public static MuxStreamHandler? Services(string service) => service switch
    {
        "echo" => EchoAsync,
        "fail" => (_, _) => throw new MuxStreamException(ProtocolCode.NotFound, "there is no such thing"),
        "take" => TakeAsync,
        "bulk" => BulkAsync,
        "hold" => (_, token) => Task.Delay(Timeout.Infinite, token),
        _ => null,
    };

    /// <summary>The services that each conversation opens, in order, by the host; by the guest the same.</summary>
    public static IReadOnlyList<string[]> Conversations { get; } = [["echo", "fail", "nobody", "take"], ["bulk", "echo"], ["hold", "echo", "take", "echo"]];

    /// <summary>What was sent to the host and to the guest in each conversation.</summary>
    public static async Task<IReadOnlyList<(IReadOnlyList<RecordedFrame> ToHost, IReadOnlyList<RecordedFrame> ToGuest)>> RecordAsync()
    {
        var sessions = new List<(IReadOnlyList<RecordedFrame>, IReadOnlyList<RecordedFrame>)>();
        foreach (var services in Conversations)
        {
            var (left, right) = StreamPair.Create(1 << 20);
            await using var hostTransport = new FrameTransport(new Tap(left, out var toHost));
            await using var guestTransport = new FrameTransport(new Tap(right, out var toGuest));
            var welcoming = WelcomeSide.RunAsync(hostTransport, null, "recorded", TestContext.Current.CancellationToken);
            var (guestSession, _) = await HelloSide.RunAsync(guestTransport, "guest", "recorded", TestContext.Current.CancellationToken);
            var host = MuxConnection.Start(hostTransport, await welcoming, Services);
            var guest = MuxConnection.Start(guestTransport, guestSession, Services);

            // One after the other, so that a recording is the same each time.
            foreach (var service in services)
            {
                await TalkAsync(host, service);
                await TalkAsync(guest, service);
            }

            await host.PingAsync(TestContext.Current.CancellationToken);
            await guest.PingAsync(TestContext.Current.CancellationToken);

            // So that something comes behind each of these too.
            await TalkAsync(host, "echo");
            await TalkAsync(guest, "echo");
            await host.DisposeAsync();
            await guest.DisposeAsync();
            sessions.Add((RecordedFrame.Read(toHost.ToArray()), RecordedFrame.Read(toGuest.ToArray())));
        }

        return sessions;
    }

    /// <summary>One side's part in a conversation; ends however the other side ends it.</summary>
    public static async Task TalkAsync(MuxConnection connection, string service)
    {
        try
        {
            await using var stream = connection.OpenStream(service, "{}"u8.ToArray());
            if (service == "hold")
                return;
            if (service is "echo" or "take")
            {
                await stream.WriteAsync(MessageKinds.Stdin, "hello"u8.ToArray());
                await stream.WriteAsync(MessageKinds.Stdin, new byte[service == "take" ? 39_995 : 300]);
                await stream.WriteAsync(MessageKinds.Stdin, new byte[service == "take" ? 40_000 : 0]);
            }

            // With the answer comes credit; whoever has ended gets none.
            if (service == "take" && await stream.ReadAsync() is { } taken)
                taken.Dispose();
            await stream.CompleteWritesAsync();
            while (await stream.ReadAsync() is { } message)
                message.Dispose();
        }
        catch (MuxStreamException)
        {
            // As it may.
        }
    }

    private static async Task EchoAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        while (await stream.ReadAsync(cancellationToken) is { } message)
        {
            using (message)
                await stream.WriteAsync(message.Kind, message.Payload, cancellationToken);
        }
    }

    private static async Task TakeAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        var taken = 0;
        while (await stream.ReadAsync(cancellationToken) is { } message)
        {
            using (message)
                taken += message.Payload.Length;
            if (taken == 80_000)
                await stream.WriteAsync(MessageKinds.Stdout, BitConverter.GetBytes(taken), cancellationToken);
        }
    }

    private static async Task BulkAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        for (var i = 0; i < 6; i++)
            await stream.WriteAsync(MessageKinds.Stdout, new byte[30_000], cancellationToken);
    }

    /// <summary>Writes down what is read.</summary>
    private sealed class Tap : Stream
    {
        private readonly Stream _inner;
        private readonly MemoryStream _read = new();

        public Tap(Stream inner, out MemoryStream read)
        {
            _inner = inner;
            read = _read;
        }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await _inner.ReadAsync(buffer, cancellationToken);
            _read.Write(buffer.Span[..count]);
            return count;
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => _inner.WriteAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
