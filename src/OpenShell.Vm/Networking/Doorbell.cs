using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Networking;

/// <summary>
/// Listens on the forwarded ports and sockets of an instance that sleeps, in gvproxy's place. The first connection rings; those that came until the ports were given back are carried to where they lead once somebody
/// listens there again.
/// </summary>
internal sealed class Doorbell : IAsyncDisposable
{
    /// <summary>Callers that came while it woke up; more are refused by the kernel, as by any server that is busy.</summary>
    private const int Backlog = 64;

    private static readonly TimeSpan ConnectPause = TimeSpan.FromMilliseconds(5);

    private readonly List<(Socket Listener, EndPoint End)> _listeners = [];
    private readonly List<(Socket Caller, EndPoint End)> _callers = [];
    private readonly TaskCompletionSource<string> _rung = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _closing = new();
    private readonly List<Task> _accepting = [];

    private Doorbell()
    {
    }

    /// <summary>Completes with what was called, at the first call.</summary>
    internal Task<string> Rung => _rung.Task;

    /// <summary>Listens on all that can be had; a port that somebody has taken meanwhile is left out.</summary>
    internal static Doorbell Listen(IEnumerable<PortForward> forwards, Action<string> say)
    {
        var bell = new Doorbell();
        foreach (var forward in forwards.Where(forward => forward.Protocol != PortProtocol.Udp))
        {
            EndPoint end = forward.HostSocket is { } path ? new UnixDomainSocketEndPoint(path) : new IPEndPoint(IPAddress.Parse(forward.HostAddress), forward.HostPort);
            var listener = MakeSocket(end);
            try
            {
                if (forward.HostSocket is { } left)
                    SocketFile.RemoveStale(left);
                else
                    listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                listener.Bind(end);
                listener.Listen(Backlog);
                bell._listeners.Add((listener, end));
                bell._accepting.Add(bell.AcceptAsync(listener, end));
            }
            catch (SocketException e)
            {
                listener.Dispose();
                say($"{end} cannot be listened on while the instance sleeps: {e.Message}");
            }
        }

        return bell;
    }

    /// <summary>Gives the ports back; who has called until now is kept.</summary>
    internal async Task CloseAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        foreach (var (listener, end) in _listeners)
        {
            listener.Dispose();
            if (end is UnixDomainSocketEndPoint)
                SocketFile.RemoveStale(end.ToString()!);
        }

        await Task.WhenAll(_accepting).ConfigureAwait(false);
    }

    /// <summary>Carries those who have called to the ports, which somebody else listens on now, until they or it hang up.</summary>
    internal Task CarryAsync(CancellationToken cancellationToken) => Task.WhenAll(_callers.ToArray().Select(call => CarryAsync(call.Caller, call.End, cancellationToken)));

    /// <summary>Hangs up on everybody.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        foreach (var (caller, _) in _callers)
            caller.Dispose();
        _closing.Dispose();
    }

    private static Socket MakeSocket(EndPoint end) => new(end.AddressFamily, SocketType.Stream, end is UnixDomainSocketEndPoint ? ProtocolType.Unspecified : ProtocolType.Tcp);

    private async Task AcceptAsync(Socket listener, EndPoint end)
    {
        try
        {
            while (true)
            {
                var caller = await listener.AcceptAsync(_closing.Token).ConfigureAwait(false);
                lock (_callers)
                    _callers.Add((caller, end));
                _rung.TrySetResult(end.ToString()!);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The ports are given back.
        }
    }

    private static async Task CarryAsync(Socket caller, EndPoint end, CancellationToken cancellationToken)
    {
        using (caller)
        {
            try
            {
                using var onward = await ConnectAsync(end, cancellationToken).ConfigureAwait(false);
                await using var near = new NetworkStream(caller);
                await using var far = new NetworkStream(onward);
                await Task.WhenAll(PassAsync(near, far, onward, cancellationToken), PassAsync(far, near, caller, cancellationToken)).ConfigureAwait(false);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // One of the two hung up.
            }
        }
    }

    private static async Task<Socket> ConnectAsync(EndPoint end, CancellationToken cancellationToken)
    {
        while (true)
        {
            var socket = MakeSocket(end);
            try
            {
                await socket.ConnectAsync(end, cancellationToken).ConfigureAwait(false);
                return socket;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused || end is UnixDomainSocketEndPoint)
            {
                socket.Dispose();
                await Task.Delay(ConnectPause, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    private static async Task PassAsync(NetworkStream from, NetworkStream to, Socket end, CancellationToken cancellationToken)
    {
        await from.CopyToAsync(to, cancellationToken).ConfigureAwait(false);
        end.Shutdown(SocketShutdown.Send);
    }
}
