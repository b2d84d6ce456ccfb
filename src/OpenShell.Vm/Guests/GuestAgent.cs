using System.Text.Json;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guests;

/// <summary>
/// The host's end of the agent channel, over a Unix socket: that of the hypervisor, then the guest itself answers; or that of a supervisor's
/// <see cref="AgentBroker"/>, which passes everything on.
/// </summary>
public sealed partial class GuestAgent : IGuestAgent
{
    private static readonly TimeSpan AttachPatience = TimeSpan.FromSeconds(1);

    /// <summary>Between two calls: a guest boots in a fraction of a second on hardware, and nobody tells when it listens.</summary>
    private static readonly TimeSpan DialPause = TimeSpan.FromMilliseconds(5);
    private static readonly string Software = $"gateway {typeof(GuestAgent).Assembly.GetName().Version?.ToString(3)}";

    private readonly FrameTransport _transport;
    private readonly MuxConnection _connection;

    private GuestAgent(FrameTransport transport, SessionInfo session, IProgress<StageReport>? progress)
    {
        _transport = transport;
        var rules = new ReportRules();
        _connection = MuxConnection.Start(transport, session, service => service == ServiceNames.Events && progress is not null ? Receive(progress, rules) : null);
        Closed = WaitForEndAsync();
    }

    /// <inheritdoc/>
    public Task<string> Closed { get; }

    /// <summary>Who answers: its role, <c>guest</c> or <c>broker</c>, and version. Its own words.</summary>
    public string Peer => GuestFaults.Clean(_connection.Session.Peer);

    /// <summary>
    /// Connects and shakes hands. With a <paramref name="config"/> this is the host of a guest that boots: the socket may still be missing, and
    /// there is no limit to the wait but <paramref name="cancellationToken"/>. Without one it attaches to a broker or a guest that runs, whose socket must be there.
    /// </summary>
    /// <param name="unixSocketPath">The socket.</param>
    /// <param name="config">What the guest is to do; its time of day is filled in when it is sent.</param>
    /// <param name="progress">Called for the guest's reports one after the other, in their order, on threads of the pool.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FaultException">Nobody listens, the other side went away, or it speaks another version.</exception>
    public static async Task<GuestAgent> ConnectAsync(
        string unixSocketPath, GuestConfig? config = null, IProgress<StageReport>? progress = null, CancellationToken cancellationToken = default)
    {
        var patience = config is null ? AttachPatience : Timeout.InfiniteTimeSpan;
        var transport = new FrameTransport(await AgentSocket.ConnectAsync(unixSocketPath, patience, cancellationToken).ConfigureAwait(false));
        try
        {
            var session = await WelcomeSide.RunAsync(transport, config is null ? null : () => WithTime(config), Software, cancellationToken).ConfigureAwait(false);
            return new GuestAgent(transport, session, progress);
        }
        catch (Exception e)
        {
            await transport.DisposeAsync().ConfigureAwait(false);
            if (e is ArgumentException)
                throw GuestFaults.TooLarge("the guest's configuration", e);
            if (e is IOException)
                throw GuestFaults.HandshakeFailed(e.Message, e);
            throw;
        }
    }

    /// <summary>
    /// As the host of a guest that boots, over a socket that accepts before the guest does: libkrun's for a vsock port, which hangs up as long as nobody in the guest
    /// listens. Tries until the guest has answered.
    /// </summary>
    /// <exception cref="FaultException">As with <see cref="ConnectAsync"/>, but for a guest that is not there yet.</exception>
    internal static async Task<GuestAgent> DialAsync(string unixSocketPath, GuestConfig config, IProgress<StageReport>? progress, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await ConnectAsync(unixSocketPath, config, progress, cancellationToken).ConfigureAwait(false);
            }
            catch (FaultException e) when (e.InnerException is IOException and not HandshakeException)
            {
                await Task.Delay(DialPause, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public Task<IGuestProcess> ExecAsync(ExecRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (cancellationToken.IsCancellationRequested)
            return Task.FromCanceled<IGuestProcess>(cancellationToken);
        try
        {
            var stream = Open(ServiceNames.Exec, JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Default.ExecRequest), request.Program);
            return Task.FromResult<IGuestProcess>(new GuestProcess(_connection, stream, request));
        }
        catch (FaultException e)
        {
            return Task.FromException<IGuestProcess>(e);
        }
    }

    /// <inheritdoc/>
    public async Task PowerOffAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var request = JsonSerializer.SerializeToUtf8Bytes(new PowerRequest(PowerAction.Off), ProtocolJson.Default.PowerRequest);
            await _connection.CallAsync(ServiceNames.Power, request, cancellationToken).ConfigureAwait(false);
        }
        catch (MuxStreamException e)
        {
            throw GuestFaults.From("power off", e);
        }
    }

    /// <summary>Asks a service, such as one that a supervisor has registered with its <see cref="AgentBroker"/>, and waits for the whole answer.</summary>
    /// <exception cref="FaultException">The service is unknown, refuses or fails, or the connection is lost.</exception>
    public async Task<byte[]> CallAsync(string service, ReadOnlyMemory<byte> request = default, CancellationToken cancellationToken = default)
    {
        try
        {
            return await _connection.CallAsync(service, request, cancellationToken).ConfigureAwait(false);
        }
        catch (MuxStreamException e)
        {
            throw GuestFaults.From(service, e);
        }
    }

    /// <summary>Opens a stream to a service that answers by more than one message. Errors on it are <see cref="MuxStreamException"/>s.</summary>
    /// <exception cref="FaultException">The connection is lost, or has too many streams.</exception>
    public MuxStream Open(string service, ReadOnlyMemory<byte> header = default) => Open(service, header, service);

    /// <summary>Measures a round trip to the other end of this connection: the guest, or the broker.</summary>
    /// <exception cref="FaultException">The connection is lost.</exception>
    public async Task<TimeSpan> PingAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return await _connection.PingAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (MuxStreamException e)
        {
            throw GuestFaults.From("ping", e);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync().ConfigureAwait(false);
        await _transport.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>For the broker, whose client learns of errors as the guest meant them.</summary>
    /// <exception cref="MuxStreamException">The connection is lost, or has too many streams.</exception>
    internal MuxStream Relay(string service, ReadOnlyMemory<byte> header) => _connection.OpenStream(service, header);

    private MuxStream Open(string service, ReadOnlyMemory<byte> header, string what)
    {
        try
        {
            return _connection.OpenStream(service, header);
        }
        catch (MuxStreamException e)
        {
            throw GuestFaults.From(what, e);
        }
        catch (ArgumentException e)
        {
            throw GuestFaults.TooLarge(what, e);
        }
    }

    private async Task<string> WaitForEndAsync()
    {
        var end = await _connection.Closed.ConfigureAwait(false);
        await _transport.DisposeAsync().ConfigureAwait(false);
        return GuestFaults.Clean(end.Text);
    }

    private static GuestConfig WithTime(GuestConfig config) =>
        config with { HostTimeUnixNanoseconds = DateTimeOffset.UtcNow.ToUnixTimeNanoseconds() };

    private static MuxStreamHandler Receive(IProgress<StageReport> progress, ReportRules rules) => async (stream, cancellationToken) =>
    {
        while (await stream.ReadAsync(cancellationToken).ConfigureAwait(false) is { } message)
        {
            using (message)
            {
                // A kind that a newer guest may send is none of this host's business.
                if (message.Kind == MessageKinds.StageReport && JsonSerializer.Deserialize(message.Payload.Span, ProtocolJson.Default.StageReport) is { } report)
                    Tell(progress, rules, report);
            }
        }
    };

    // A guest may open more than one stream of reports; they are told one after the other all the same.
    private static void Tell(IProgress<StageReport> progress, ReportRules rules, StageReport report)
    {
        lock (rules)
        {
            if (rules.Accept(report) is { } accepted)
                progress.Report(accepted);
        }
    }
}
