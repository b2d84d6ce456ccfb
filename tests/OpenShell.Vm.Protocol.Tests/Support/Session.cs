using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Protocol.Tests.Support;

/// <summary>A host and a guest, joined by a real handshake over a pair of streams in memory.</summary>
internal sealed class Session : IAsyncDisposable
{
    private readonly FrameTransport _hostTransport;
    private readonly FrameTransport _guestTransport;

    private Session(FrameTransport hostTransport, MuxConnection host, FrameTransport guestTransport, MuxConnection guest)
    {
        _hostTransport = hostTransport;
        _guestTransport = guestTransport;
        Host = host;
        Guest = guest;
    }

    public MuxConnection Host { get; }

    public MuxConnection Guest { get; }

    public static Task<Session> StartAsync(string service, MuxStreamHandler handler) =>
        StartAsync(name => name == service ? handler : null);

    public static async Task<Session> StartAsync(Func<string, MuxStreamHandler?> guestHandlers, Func<string, MuxStreamHandler?>? hostHandlers = null)
    {
        var (left, right) = StreamPair.Create();
        var hostTransport = new FrameTransport(left);
        var guestTransport = new FrameTransport(right);
        var welcoming = WelcomeSide.RunAsync(hostTransport, null, "test", TestContext.Current.CancellationToken);
        var (guestSession, _) = await HelloSide.RunAsync(guestTransport, "guest", "test", TestContext.Current.CancellationToken);
        var hostSession = await welcoming;
        return new Session(
            hostTransport,
            MuxConnection.Start(hostTransport, hostSession, hostHandlers ?? (_ => null)),
            guestTransport,
            MuxConnection.Start(guestTransport, guestSession, guestHandlers));
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        await Guest.DisposeAsync();
        await _hostTransport.DisposeAsync();
        await _guestTransport.DisposeAsync();
    }
}
