using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Instances;

namespace OpenShell.Vm.Networking;

/// <summary>
/// Listens on the forwarded ports and sockets of an instance that sleeps, in gvproxy's place. The first connection rings; those that came until their port was given back, one port at a time, are carried to where they lead
/// once somebody listens there again.
/// </summary>
internal sealed class Doorbell : IAsyncDisposable
{
    /// <summary>Callers that came while it woke up; more are refused by the kernel, as by any server that is busy.</summary>
    private const int Backlog = 64;

    private static readonly TimeSpan ConnectPause = TimeSpan.FromMilliseconds(5);

    private readonly List<Line> _lines = [];
    private readonly List<(Socket Caller, EndPoint End)> _callers = [];
    private readonly TaskCompletionSource<string> _rung = new(TaskCreationOptions.RunContinuationsAsynchronously);

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
                bell._lines.Add(new Line(forward, listener, end, bell));
            }
            catch (SocketException e)
            {
                listener.Dispose();
                say($"{end} cannot be listened on while the instance sleeps: {e.Message}");
            }
        }

        return bell;
    }

    /// <summary>Whether it listens there.</summary>
    internal bool Holds(PortForward forward)
    {
        lock (_lines)
            return _lines.Exists(line => line.Is(forward));
    }

    /// <summary>Gives one port back; who has called there until now is kept. Nothing, where it does not listen there.</summary>
    internal Task GiveBackAsync(PortForward forward) => CloseAsync(line => line.Is(forward));

    /// <summary>Gives all ports back; who has called until now is kept.</summary>
    internal Task CloseAsync() => CloseAsync(_ => true);

    private async Task CloseAsync(Predicate<Line> which)
    {
        List<Line> lines;
        lock (_lines)
        {
            lines = _lines.FindAll(which);
            _lines.RemoveAll(which);
        }

        foreach (var line in lines)
            await line.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Carries those who have called to the ports, which somebody else listens on now, until they or it hang up.</summary>
    internal async Task CarryAsync(CancellationToken cancellationToken)
    {
        await CloseAsync().ConfigureAwait(false);
        await Task.WhenAll(Callers().Select(call => CarryAsync(call.Caller, call.End, cancellationToken))).ConfigureAwait(false);
    }

    /// <summary>Hangs up on everybody.</summary>
    public async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        foreach (var (caller, _) in Callers())
            caller.Dispose();
    }

    private (Socket Caller, EndPoint End)[] Callers()
    {
        lock (_callers)
            return [.. _callers];
    }

    private void Take(Socket caller, EndPoint end)
    {
        lock (_callers)
            _callers.Add((caller, end));
        _rung.TrySetResult(end.ToString()!);
    }

    private static Socket MakeSocket(EndPoint end) => new(end.AddressFamily, SocketType.Stream, end is UnixDomainSocketEndPoint ? ProtocolType.Unspecified : ProtocolType.Tcp);

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

    /// <summary>One port or socket that is listened on.</summary>
    private sealed class Line : IAsyncDisposable
    {
        private readonly CancellationTokenSource _closing = new();
        private readonly string _hostEnd;
        private readonly Socket _listener;
        private readonly EndPoint _end;
        private readonly Doorbell _bell;
        private readonly Task _accepting;

        internal Line(PortForward forward, Socket listener, EndPoint end, Doorbell bell)
        {
            (_hostEnd, _listener, _end, _bell) = (forward.HostEnd(), listener, end, bell);
            _accepting = AcceptAsync();
        }

        /// <summary>Whether it is where a forward begins, wherever that leads.</summary>
        internal bool Is(PortForward forward) => forward.Protocol != PortProtocol.Udp && forward.HostEnd() == _hostEnd;

        /// <summary>Gives it back.</summary>
        public async ValueTask DisposeAsync()
        {
            await _closing.CancelAsync().ConfigureAwait(false);
            await _accepting.ConfigureAwait(false);
            TakeWaiting();
            _listener.Dispose();
            if (_end is UnixDomainSocketEndPoint)
                SocketFile.RemoveStale(_end.ToString()!);
            _closing.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                    _bell.Take(await _listener.AcceptAsync(_closing.Token).ConfigureAwait(false), _end);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The port is given back.
            }
        }

        /// <summary>The kernel has let in some more, and would reset them with the socket.</summary>
        private void TakeWaiting()
        {
            try
            {
                while (_listener.Poll(0, SelectMode.SelectRead))
                    _bell.Take(_listener.Accept(), _end);
            }
            catch (SocketException)
            {
                // It has hung up by now.
            }
        }
    }
}
