using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Networking;

/// <summary>Asks through forwards whether the guest answers, and knows which connections are its own: they are nobody's use of the instance, however long a handshake takes.</summary>
internal sealed class ForwardProbes
{
    private readonly ConcurrentDictionary<int, byte> _open = new();

    /// <summary>The ports of this end of those that are open.</summary>
    internal IReadOnlyCollection<int> OpenPorts => [.. _open.Keys];

    /// <summary>Whether somebody speaks TLS there: whatever is answered to a hello, even a refusal, the guest has said.</summary>
    /// <param name="forward">One to a server of TLS.</param>
    /// <param name="limit">No answer for so long is none.</param>
    /// <param name="cancellationToken">Gives up.</param>
    internal async Task<bool> AnswersAsync(PortForward forward, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(limit);
        var address = IPAddress.Parse(forward.HostAddress);

        // Reset at its end: it leaves no trace that would look like somebody's use.
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
        var own = 0;
        try
        {
            // Known before there is a connection that somebody could see.
            socket.Bind(new IPEndPoint(address.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any, 0));
            own = ((IPEndPoint)socket.LocalEndPoint!).Port;
            _open[own] = 0;
            await socket.ConnectAsync(new IPEndPoint(address, forward.HostPort), deadline.Token).ConfigureAwait(false);

            // Who it is does not matter here, only that somebody is there: nothing is sent that is worth anything.
#pragma warning disable CA5359
            await using var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, (_, _, _, _) => true);
#pragma warning restore CA5359
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, deadline.Token).ConfigureAwait(false);
            return true;
        }
        catch (AuthenticationException)
        {
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is IOException or SocketException or OperationCanceledException)
        {
            return false;
        }
        finally
        {
            socket.Dispose();
            _open.TryRemove(own, out _);
        }
    }
}
