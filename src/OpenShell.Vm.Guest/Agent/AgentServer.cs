using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Agent;

/// <summary>
/// The guest's end of the agent channel: says hello until the host answers, then serves exec, files and power, and says hello again whenever the
/// host goes away, until disposed.
/// </summary>
public sealed class AgentServer : IAsyncDisposable
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly AgentPort _port;
    private readonly AgentServerOptions _options;
    private readonly Dictionary<string, MuxStreamHandler> _services;
    private readonly ReportQueue _reports = new();
    private readonly CancellationTokenSource _stop = new();
    private volatile IReadOnlyList<string> _environment;
    private readonly TaskCompletionSource<GuestConfig> _config = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lazy<Task> _running;

    /// <summary>Describes the server; nothing happens before <see cref="ConnectAsync"/>.</summary>
    /// <param name="port">Where the host is.</param>
    /// <param name="reaper">Waits for the programs that the host starts.</param>
    /// <param name="power">Called when the host asks for the end; returns once the request is accepted (the work is then under way), or throws to refuse.</param>
    /// <param name="options">What can be left at its default.</param>
    public AgentServer(AgentPort port, ChildReaper reaper, Func<PowerRequest, CancellationToken, Task> power, AgentServerOptions? options = null)
    {
        _port = port;
        _options = options ?? new AgentServerOptions();
        _environment = _options.Environment;
        var exec = new ExecService(new ProcessLauncher(reaper), () => _environment);
        _services = new Dictionary<string, MuxStreamHandler>
        {
            [ServiceNames.Exec] = exec.RunAsync,
            [ServiceNames.ExecSignal] = exec.SignalAsync,
            [ServiceNames.ExecResize] = exec.ResizeAsync,
            [ServiceNames.FileRead] = FileService.ReadAsync,
            [ServiceNames.FileWrite] = FileService.WriteAsync,
            [ServiceNames.TreeRead] = TreeService.ReadAsync,
            [ServiceNames.TreeWrite] = TreeService.WriteAsync,
            [ServiceNames.Power] = (stream, token) => power(stream.ReadHeader(ProtocolJson.Default.PowerRequest), token),
        };
        foreach (var (name, answer) in _options.Calls)
            _services.Add(name, MuxCall.Handler(answer));
        _running = new Lazy<Task>(() => Task.Run(RunAsync));
    }

    /// <summary>Starts serving, the first time, and completes with the configuration of the first host that sends one. Waits without limit.</summary>
    public Task<GuestConfig> ConnectAsync(CancellationToken cancellationToken = default)
    {
        _ = _running.Value;
        return _config.Task.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Sends a report to the host. Returns at once: reports wait in a bounded queue while no host is connected, and the oldest give way when it is full.
    /// </summary>
    public ValueTask ReportAsync(StageReport report, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _reports.Add(report);
        return ValueTask.CompletedTask;
    }

    /// <summary>Ends the session and kills the programs that hosts started through it. Not to be awaited inside the power delegate's call.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        if (_running.IsValueCreated)
            await _running.Value.ConfigureAwait(false);
        _config.TrySetCanceled();
    }

    private async Task RunAsync()
    {
        var pause = FirstPause;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var transport = new FrameTransport(await _port.OpenAsync(_stop.Token).ConfigureAwait(false));
                while (true)
                {
                    await ServeOneSessionAsync(transport).ConfigureAwait(false);
                    pause = FirstPause;
                }
            }
            catch (EndOfStreamException)
            {
                // The host went away: open the port anew, which waits for the next one.
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (IOException e)
            {
                _options.Log?.Invoke($"agent: {e.Message}");
            }
            await Task.Delay(pause, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <exception cref="EndOfStreamException">The host went away, before or after the handshake.</exception>
    private async Task ServeOneSessionAsync(FrameTransport transport)
    {
        var (session, config) = await HelloSide.RunAsync(transport, "guest", _options.Software, _stop.Token).ConfigureAwait(false);
        if (config?.Proxy is { } proxy)
            _environment = [.. _options.Environment, .. ProxyEnvironment.Of(proxy)];
        await using var connection = MuxConnection.Start(transport, session, name => _services.GetValueOrDefault(name));
        if (config is not null)
            _config.TrySetResult(config);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var reporting = SendReportsAsync(connection, over.Token);
        await ((Task)connection.Closed).WaitAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await over.CancelAsync().ConfigureAwait(false);
        await reporting.ConfigureAwait(false);
        _stop.Token.ThrowIfCancellationRequested();
        var end = await connection.Closed.ConfigureAwait(false);
        _options.Log?.Invoke($"agent: the session ended: {end.Text}");
        if (end.Code == ProtocolCode.TransportClosed)
            throw new EndOfStreamException(end.Text);
    }

    private async Task SendReportsAsync(MuxConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            await using var events = connection.OpenStream(ServiceNames.Events);
            while (true)
            {
                var report = await _reports.PeekAsync(cancellationToken).ConfigureAwait(false);
                await events.WriteAsync(MessageKinds.StageReport, report, ProtocolJson.Default.StageReport, cancellationToken).ConfigureAwait(false);
                _reports.Remove(report);
            }
        }
        catch (Exception e) when (e is MuxStreamException or OperationCanceledException)
        {
            // The session is over, or this host takes no reports: those that were not sent yet wait for the next.
        }
    }
}
