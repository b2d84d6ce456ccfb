using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Protocol.Tests.Support;

/// <summary>A guest that has shaken hands properly and then sends whatever a test likes to a real host connection.</summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private readonly FrameTransport _hostTransport;
    private readonly FrameTransport _transport;

    private RawPeer(FrameTransport hostTransport, FrameTransport transport, SessionInfo session, MuxConnection host)
    {
        _hostTransport = hostTransport;
        _transport = transport;
        Session = session;
        Host = host;
    }

    public SessionInfo Session { get; }

    /// <summary>The connection under attack.</summary>
    public MuxConnection Host { get; }

    public static async Task<RawPeer> StartAsync(Func<string, MuxStreamHandler?> hostHandlers, long buffer = 64 * 1024)
    {
        var (left, right) = StreamPair.Create(buffer);
        var hostTransport = new FrameTransport(left);
        var transport = new FrameTransport(right);
        var welcoming = WelcomeSide.RunAsync(hostTransport, null, null, TestContext.Current.CancellationToken);
        var (session, _) = await HelloSide.RunAsync(transport, "guest", null, TestContext.Current.CancellationToken);
        return new RawPeer(hostTransport, transport, session, MuxConnection.Start(hostTransport, await welcoming, hostHandlers));
    }

    public ValueTask SendAsync(FrameType type, uint stream, byte[] payload, byte kind = 0) =>
        SendAsync(FrameWriter.ToArray(Session.Epoch, type, kind, stream, payload));

    public ValueTask SendAsync(byte[] bytes) => _transport.Stream.WriteAsync(bytes, TestContext.Current.CancellationToken);

    public async Task<(FrameType Type, uint Stream, byte[] Payload)> ReceiveAsync()
    {
        var frame = await _transport.ReceiveAsync(TestContext.Current.CancellationToken);
        return (frame.Header.Type, frame.Header.Stream, frame.Payload);
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await _hostTransport.DisposeAsync();
        await _transport.DisposeAsync();
    }
}
