using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using OpenShell.Vm.Interop;

namespace OpenShell.Vm.Hypervisors.Qemu;

/// <summary>QEMU's control protocol (https://www.qemu.org/docs/master/interop/qmp-spec.html): commands answered in order, and events. One line each, JSON.</summary>
internal sealed class QmpClient : IAsyncDisposable
{
    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonObject>> _waiting = new();
    private int _lastId;
    private volatile bool _ended;
    private readonly Channel<QmpEvent> _events = Channel.CreateUnbounded<QmpEvent>();
    private Task _reading = Task.CompletedTask;

    private QmpClient(Socket socket)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _reader = new StreamReader(_stream, new UTF8Encoding(false));
    }

    /// <summary>QEMU's events, in order; completes when the connection has ended.</summary>
    internal ChannelReader<QmpEvent> Events => _events.Reader;

    /// <summary>
    /// Listens where QEMU is going to call; to be done before it is started. It calls, and not this side: a QEMU that listens moves its monitor to a thread of its own during its start
    /// (monitor_init_qmp in monitor/qmp.c of 10.0), and on a busy machine both threads may see the first caller. One accepts; the other, the main loop, then waits in accept(2) for a second
    /// caller for ever, and the machine never runs. Seen once in some hundred starts; the first caller is hung up on, or never greeted.
    /// </summary>
    internal static Socket Listen(string path) => UnixSocket.Listen(path, backlog: 1);

    /// <summary>Waits for QEMU's call and negotiates.</summary>
    /// <param name="listener">From <see cref="Listen"/>; disposed here, so that nobody else is let in.</param>
    /// <param name="cancellationToken">QEMU has ended.</param>
    /// <exception cref="IOException">It hung up.</exception>
    internal static async Task<QmpClient> AcceptAsync(Socket listener, CancellationToken cancellationToken)
    {
        QmpClient client;
        using (listener)
            client = new QmpClient(await listener.AcceptAsync(cancellationToken).ConfigureAwait(false));
        try
        {
            _ = await client._reader.ReadLineAsync(cancellationToken).ConfigureAwait(false) ?? throw new IOException("QEMU hung up before its greeting.");
            client._reading = client.ReadAsync();
            await client.ExecuteAsync("qmp_capabilities", null, cancellationToken).ConfigureAwait(false);
            return client;
        }
        catch
        {
            await client.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Executes a command and returns its answer.</summary>
    /// <exception cref="QmpException">QEMU answered with an error.</exception>
    /// <exception cref="IOException">The connection has ended.</exception>
    internal async Task<JsonNode?> ExecuteAsync(string command, JsonObject? arguments, CancellationToken cancellationToken)
    {
        var id = Interlocked.Increment(ref _lastId);
        var message = new JsonObject { ["execute"] = command, ["id"] = id };
        if (arguments is not null)
            message["arguments"] = arguments;

        var waiting = new TaskCompletionSource<JsonObject>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = waiting;
        try
        {
            await WriteAsync(Encoding.UTF8.GetBytes(message.ToJsonString() + "\n"), cancellationToken).ConfigureAwait(false);

            // Asked after it was registered: either the reader saw it at its end, or this sees the end.
            if (_ended)
                throw Closed();
            var answer = await waiting.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return answer["error"] is { } error
                ? throw new QmpException(command, error["desc"]?.GetValue<string>() ?? "unknown error")
                : answer["return"];
        }
        finally
        {
            _waiting.TryRemove(id, out _);
        }
    }

    /// <summary>Ends QEMU: it closes its disks and exits. Returns when it has understood; it may be gone before it answers.</summary>
    internal async Task QuitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await ExecuteAsync("quit", null, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // Gone: that was the point.
        }
    }

    /// <summary>Such as <c>running</c>, <c>paused</c>, <c>guest-panicked</c>.</summary>
    internal async Task<string> StatusAsync(CancellationToken cancellationToken) =>
        (await ExecuteAsync("query-status", null, cancellationToken).ConfigureAwait(false))?["status"]?.GetValue<string>() ?? "unknown";

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync().ConfigureAwait(false);
        await _reading.ConfigureAwait(false);
        _reader.Dispose();
        _writing.Dispose();
    }

    private async Task WriteAsync(byte[] line, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await _stream.WriteAsync(line, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            throw Closed();
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _reader.ReadLineAsync().ConfigureAwait(false) is { } line)
            {
                if (JsonNode.Parse(line) is not JsonObject message)
                    continue;
                if (message["event"] is { } name)
                    _events.Writer.TryWrite(new QmpEvent(name.GetValue<string>(), message["data"] as JsonObject));
                else if (message["id"] is { } id && _waiting.TryGetValue(id.GetValue<int>(), out var waiting))
                    waiting.TrySetResult(message);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException or JsonException)
        {
            // Said to everyone who waits, below.
        }
        finally
        {
            _ended = true;
            foreach (var waiting in _waiting.Values)
                waiting.TrySetException(Closed());
            _events.Writer.TryComplete();
        }
    }

    private static IOException Closed() => new("QEMU closed its control socket.");
}

/// <summary>Something that happened to the machine, such as <c>SHUTDOWN</c> or <c>GUEST_PANICKED</c>.</summary>
/// <param name="Name">QEMU's name for it (https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html).</param>
/// <param name="Data">What it says about it.</param>
internal sealed record QmpEvent(string Name, JsonObject? Data);

/// <summary>QEMU refused a command.</summary>
internal sealed class QmpException(string command, string description) : Exception($"QEMU refused {command}: {description}.");
