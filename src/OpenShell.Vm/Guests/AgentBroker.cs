using System.Collections.Concurrent;
using System.Net.Sockets;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guests;

/// <summary>
/// Lets other processes of the same user share a supervisor's one connection to the guest: listens on a Unix socket, speaks the guest's protocol there,
/// answers services that the supervisor registered, and relays every other stream to the guest, message by message, flow control and errors included.
/// </summary>
public sealed class AgentBroker : IAsyncDisposable
{
    private const int Backlog = 64;
    private static readonly string Software = $"gateway {typeof(AgentBroker).Assembly.GetName().Version?.ToString(3)}";

    private readonly ConcurrentDictionary<string, MuxStreamHandler> _services = new();
    private readonly ConcurrentDictionary<Task, byte> _clients = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener;
    private readonly string _path;
    private readonly Task _accepting;
    private volatile GuestAgent? _guest;
    private long _clientsSoFar;

    private AgentBroker(Socket listener, string path)
    {
        _listener = listener;
        _path = path;
        _accepting = AcceptAsync();
    }

    /// <summary>Starts listening, taking the place of a socket that an earlier supervisor left. The caller holds the instance's lock.</summary>
    /// <exception cref="FaultException">The socket cannot be made there.</exception>
    public static AgentBroker Start(string unixSocketPath)
    {
        try
        {
            return new AgentBroker(UnixSocket.Listen(unixSocketPath, Backlog), unixSocketPath);
        }
        catch (Exception e) when (e is SocketException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new FaultException(
                new Fault
                {
                    Code = "guest.broker-socket",
                    What = $"The socket {unixSocketPath} cannot be made: {e.Message}",
                    Remedy = "Check that its folder exists, is yours, and that the path is at most 107 bytes long.",
                },
                e);
        }
    }

    /// <summary>Whether somebody is connected.</summary>
    internal bool HasClients => !_clients.IsEmpty;

    /// <summary>How many have connected so far: one who came and went between two looks is seen by that.</summary>
    internal long ClientsSoFar => Interlocked.Read(ref _clientsSoFar);

    /// <summary>From now on, streams go to this guest. Until the first one they are refused as <see cref="ProtocolCode.Unavailable"/>.</summary>
    public void Attach(GuestAgent guest) => _guest = guest;

    /// <summary>From now on, there is no guest to be reached.</summary>
    public void Detach() => _guest = null;

    /// <summary>Answers a service here instead of in the guest.</summary>
    public void Register(string name, MuxStreamHandler handler) => _services[name] = handler;

    /// <summary>Answers a service here with one reply to a request; <see cref="GuestAgent.CallAsync"/> is its other end.</summary>
    public void Register(string name, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>> answer) => Register(name, MuxCall.Handler(answer));

    /// <summary>Stops listening and drops all clients; their programs in the guest are killed.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(_clients.Keys).ConfigureAwait(false);
        File.Delete(_path);
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptAsync(_stop.Token).ConfigureAwait(false);
                Interlocked.Increment(ref _clientsSoFar);
                var client = Task.Run(() => ServeAsync(socket));
                _clients[client] = 0;
                _ = client.ContinueWith(task => _clients.TryRemove(task, out _), TaskScheduler.Default);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // A client that was gone before it was accepted, or too many open files: the next one may do better.
                await Task.Delay(TimeSpan.FromMilliseconds(10), _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        try
        {
            await using var transport = new FrameTransport(new NetworkStream(socket, ownsSocket: true));
            var (session, _) = await HelloSide.RunAsync(transport, "broker", Software, _stop.Token).ConfigureAwait(false);
            await using var connection = MuxConnection.Start(transport, session, name => _services.GetValueOrDefault(name, RelayAsync));
            await ((Task)connection.Closed).WaitAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // A client that went away, or speaks something else, concerns nobody but itself.
        }
    }

    private Task RelayAsync(MuxStream client, CancellationToken cancellationToken)
    {
        var guest = _guest ?? throw new MuxStreamException(ProtocolCode.Unavailable, "The guest is not connected.");
        return StreamRelay.RunAsync(client, guest.Relay(client.Service, client.Header), cancellationToken);
    }
}
