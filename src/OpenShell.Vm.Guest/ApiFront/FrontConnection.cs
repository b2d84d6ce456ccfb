using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace OpenShell.Vm.Guest.ApiFront;

/// <summary>One caller, and the one connection to the API server that is opened for it. Bytes are passed on as they come, both ways, each to its own end.</summary>
internal static class FrontConnection
{
    /// <summary>From the handshake to the end of both directions.</summary>
    /// <param name="caller">The caller, which this closes.</param>
    /// <param name="apiServer">Where the API server is.</param>
    /// <param name="material">What holds at this moment.</param>
    /// <param name="limits">What the caller may take.</param>
    /// <param name="refused">Told why it was refused.</param>
    /// <param name="cancellationToken">Cuts it.</param>
    public static async Task ServeAsync(Socket caller, IPEndPoint apiServer, FrontMaterial material, FrontLimits limits, Action<string> refused, CancellationToken cancellationToken)
    {
        using var connected = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            connected.CancelAfter(limits.Handshake);
            await using var outside = new SslStream(new NetworkStream(caller, ownsSocket: true));
            await outside.AuthenticateAsServerAsync(material.ForCaller(refused), connected.Token).ConfigureAwait(false);

            // Not before it is known who calls: strangers cost the API server nothing.
            using var socket = new Socket(apiServer.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(apiServer, connected.Token).ConfigureAwait(false);
            await using var inside = new SslStream(new NetworkStream(socket, ownsSocket: true));
            await inside.AuthenticateAsClientAsync(material.ForApiServer(outside.NegotiatedApplicationProtocol), connected.Token).ConfigureAwait(false);
            if (inside.NegotiatedApplicationProtocol != outside.NegotiatedApplicationProtocol)
                throw new AuthenticationException("The API server does not speak what was agreed on with the caller.");
            connected.CancelAfter(Timeout.InfiniteTimeSpan);
            await RelayAsync(outside, caller, inside, socket, connected).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or SocketException or AuthenticationException or OperationCanceledException or ObjectDisposedException)
        {
            // The caller was refused, has gone, was cut off, or the API server is away: to the caller all of it is a connection that ended.
            caller.Dispose();
        }
    }

    /// <summary>Both directions; when one fails the other is of no use.</summary>
    private static async Task RelayAsync(SslStream outside, Socket caller, SslStream inside, Socket server, CancellationTokenSource scope)
    {
        // Also what hangs in a write that nobody reads, which no token reaches.
        await using var cut = scope.Token.Register(() =>
        {
            caller.Dispose();
            server.Dispose();
        });
        var up = PassAsync(outside, inside, server, scope.Token);
        var down = PassAsync(inside, outside, caller, scope.Token);
        var first = await Task.WhenAny(up, down).ConfigureAwait(false);
        if (!first.IsCompletedSuccessfully)
            await scope.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(up, down).ConfigureAwait(false);
    }

    /// <summary>One direction to its end, which is passed on as an end of that direction only: an exec's stdin ends while its output still comes.</summary>
    private static async Task PassAsync(SslStream from, SslStream to, Socket socket, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FrontLimits.Buffer);
        try
        {
            while (await from.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var count)
                await to.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
            await to.ShutdownAsync().ConfigureAwait(false);
            socket.Shutdown(SocketShutdown.Send);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
