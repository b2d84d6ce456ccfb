using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OpenShell.Vm.Files.Sending;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Tests.Fuzzing;

/// <summary>A cluster's guest, as far as its host can tell: it reports its start, and answers whatever a supervisor asks in the life of an instance.</summary>
internal sealed class TalkingGuest : IAsyncDisposable
{
    private readonly FrameTransport _transport;
    private readonly Dictionary<string, byte[]> _files;
    private readonly string _tree;
    private readonly ConcurrentDictionary<string, int> _answered = new();
    private MuxConnection _connection = null!;
    private MuxStream? _events;
    private int _asked;

    private TalkingGuest(MutatingStream wire, InstanceCredentials credentials, string tree)
    {
        (Wire, _transport, _tree) = (wire, new FrameTransport(wire), tree);
        _files = new()
        {
            [GuestPaths.BootstrapGatewayCa] = Encoding.ASCII.GetBytes(credentials.GatewayAuthority),
            [GuestPaths.BootstrapGatewayCertificate] = Encoding.ASCII.GetBytes(credentials.GatewayClient.CertificatePem),
            [GuestPaths.BootstrapGatewayKey] = Encoding.ASCII.GetBytes(credentials.GatewayClient.KeyPem),
            [GuestPaths.BootstrapKubeconfig] = Encoding.ASCII.GetBytes(credentials.Kubeconfig("guest", "https://192.168.127.2:6443")),
        };
    }

    /// <summary>What lies between it and its host.</summary>
    public MutatingStream Wire { get; }

    /// <summary>Completes when its host has hung up.</summary>
    public Task Closed => _connection.Closed;

    /// <summary>How much was asked of it so far.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Is told that it is to power itself off.</summary>
    public required Action PoweringOff { get; init; }

    /// <summary>Waits for a host, and says hello.</summary>
    public static async Task<TalkingGuest> MeetAsync(Socket host, Func<Stream, MutatingStream> wire, InstanceCredentials credentials, string tree, Action poweringOff, CancellationToken cancellationToken)
    {
        var guest = new TalkingGuest(wire(new NetworkStream(host, ownsSocket: true)), credentials, tree) { PoweringOff = poweringOff };
        var (session, _) = await HelloSide.RunAsync(guest._transport, "guest", "fuzz", cancellationToken);
        guest._connection = MuxConnection.Start(guest._transport, session, guest.Find);
        return guest;
    }

    /// <summary>How often a service has answered.</summary>
    public int Answers(string service) => _answered.GetValueOrDefault(service);

    /// <summary>Reports something, all of it on one stream.</summary>
    public async Task ReportAsync(StageReport report)
    {
        _events ??= _connection.OpenStream(ServiceNames.Events);
        await _events.WriteAsync(MessageKinds.StageReport, Bytes(report, ProtocolJson.Default.StageReport));
    }

    /// <summary>Reports something on a stream of its own, in which nothing is changed: what became of the others does not matter to it. Completes when the host has taken it.</summary>
    public async Task ReportApartAsync(StageReport report)
    {
        await using var stream = _connection.OpenStream(ServiceNames.Events, MutatingStream.Spared.ToArray());
        await stream.WriteAsync(MessageKinds.StageReport, Bytes(report, ProtocolJson.Default.StageReport));
        await stream.CompleteWritesAsync();
        while (await stream.ReadAsync() is { } message)
            message.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _transport.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private static byte[] Bytes<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    private MuxStreamHandler? Find(string service)
    {
        MuxStreamHandler? handler = service switch
        {
            ServiceNames.FileRead => SendFileAsync,
            ServiceNames.TreeRead => (stream, token) => DiskSource.SendAsync(_tree, false, stream, null, token),
            ServiceNames.Exec => RunAsync,
            ServiceNames.HostChanged => Answering(header =>
            {
                var compares = JsonSerializer.Deserialize(header.Span, ProtocolJson.Default.HostChange)!.OnlyCompares == true;
                return Bytes(new HostChangeReply { ClockOffsetNanoseconds = compares ? 0 : 5_000_000_000, Told = ["dns", "dhcp"] }, ProtocolJson.Default.HostChangeReply);
            }),
            ServiceNames.DiskUsage => Answering(_ => Bytes(new DiskUsageReply([new DiskUsage("/var", 20L << 30, 1L << 30)]), ProtocolJson.Default.DiskUsageReply)),
            ServiceNames.CertificatesRenew => Answering(_ => Bytes(new CertificateRenewalReply(["gateway-server"], ["gateway"]), ProtocolJson.Default.CertificateRenewalReply)),
            ServiceNames.SnapshotPrepare => Answering(_ => Bytes(new SnapshotPrepared(2L << 30, 1L << 30, ["one pod did not answer"]), ProtocolJson.Default.SnapshotPrepared)),
            ServiceNames.SnapshotOver => Answering(_ => []),
            ServiceNames.Resume => Answering(_ => Bytes(new ResumeReply(0, ["one pod did not answer"]), ProtocolJson.Default.ResumeReply)),
            ServiceNames.Power => Answering(_ =>
            {
                PoweringOff();
                return [];
            }),
            _ => null,
        };
        return handler is null ? null : async (stream, token) =>
        {
            Interlocked.Increment(ref _asked);
            try
            {
                await handler(stream, token);
            }
            finally
            {
                _answered.AddOrUpdate(service, 1, (_, before) => before + 1);
            }
        };
    }

    private static MuxStreamHandler Answering(Func<ReadOnlyMemory<byte>, byte[]> answer) => MuxCall.Handler((header, _) => Task.FromResult(answer(header)));

    private async Task SendFileAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        var path = JsonSerializer.Deserialize(stream.Header.Span, ProtocolJson.Default.FileReadRequest)!.Path;
        var content = _files.GetValueOrDefault(path) ?? throw new MuxStreamException(ProtocolCode.NotFound, $"{path}: there is no such file");
        await stream.WriteAsync(MessageKinds.FileDescription, Bytes(new FileDescription(content.Length, 0x180), ProtocolJson.Default.FileDescription), cancellationToken);
        await stream.WriteAsync(MessageKinds.FileData, content, cancellationToken);
    }

    private static async Task RunAsync(MuxStream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(MessageKinds.Started, Bytes(new ExecStarted(new string('a', 32), 7), ProtocolJson.Default.ExecStarted), cancellationToken);
        await stream.WriteAsync(MessageKinds.Stdout, "out"u8.ToArray(), cancellationToken);
        await stream.WriteAsync(MessageKinds.Stderr, "err"u8.ToArray(), cancellationToken);
        await stream.WriteAsync(MessageKinds.Exit, Bytes(new ExecResult { ExitCode = 0 }, ProtocolJson.Default.ExecResult), cancellationToken);
    }
}
