using System.Threading.Channels;
using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Framing;
using OpenShell.Vm.Protocol.Handshake;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Protocol.Mux;

namespace OpenShell.Vm.Guest.Tests.Agent;

/// <summary>The server against hosts of the real protocol that come and go. What its services do is tested by the host's end, in tests/OpenShell.Vm.Tests/Guests.</summary>
public sealed class AgentServerTests : IAsyncDisposable
{
    private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);
    private readonly Channel<Stream> _guestEnds = Channel.CreateUnbounded<Stream>();
    private readonly AgentServer _server;

    public AgentServerTests() =>
        _server = new AgentServer(AgentPort.From(_guestEnds.Reader.ReadAsync), _reaper, (_, _) => throw new MuxStreamException(ProtocolCode.Denied, "not now"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _reaper.Dispose();
    }

    [Fact(Timeout = 30_000)]
    public async Task The_first_configuration_counts_and_hosts_without_one_are_served_before()
    {
        var config = _server.ConnectAsync(Token);
        await using (var attached = await ConnectAsync(null))
            await attached.Connection.PingAsync(Token);
        config.IsCompleted.ShouldBeFalse();

        await using (await ConnectAsync("first"))
            (await config).Hostname.ShouldBe("first");
        await using (await ConnectAsync("second"))
            (await _server.ConnectAsync(Token)).Hostname.ShouldBe("first");
    }

    [Fact(Timeout = 30_000)]
    public async Task Reports_wait_for_a_host_and_the_oldest_give_way()
    {
        _ = _server.ConnectAsync(Token);
        for (var i = 0; i < ProtocolLimits.MaxQueuedReports + 10; i++)
            await _server.ReportAsync(Report(i), Token);

        await using var host = await ConnectAsync(null);
        for (var i = 10; i < ProtocolLimits.MaxQueuedReports + 10; i++)
            (await host.Reports.ReadAsync(Token)).UptimeNanoseconds.ShouldBe(i);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_host_without_interest_in_reports_is_served_all_the_same()
    {
        _ = _server.ConnectAsync(Token);
        await using var host = await ConnectAsync(null, takesReports: false);
        await _server.ReportAsync(Report(1), Token);

        await host.Connection.PingAsync(Token);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_power_request_can_be_refused()
    {
        _ = _server.ConnectAsync(Token);
        await using var host = await ConnectAsync(null);

        var error = await Should.ThrowAsync<MuxStreamException>(host.Connection.CallAsync(ServiceNames.Power, """{"action":"Off"}"""u8.ToArray(), Token));

        (error.Code, error.Message).ShouldBe((ProtocolCode.Denied, "not now"));
    }

    [Theory(Timeout = 30_000)]
    [InlineData(ServiceNames.Power, "")]
    [InlineData(ServiceNames.Power, "null")]
    [InlineData(ServiceNames.Power, """{"action":"Explode"}""")]
    [InlineData(ServiceNames.Exec, "[]")]
    [InlineData(ServiceNames.Exec, """{"program":"true","arguments":[null]}""")]
    [InlineData(ServiceNames.Exec, """{"program":"true","size":{"columns":0,"rows":1}}""")]
    [InlineData(ServiceNames.ExecSignal, """{"id":"x","signal":65}""")]
    [InlineData(ServiceNames.FileRead, """{"path":"relative"}""")]
    [InlineData(ServiceNames.FileWrite, """{"path":"/a","mode":70000}""")]
    public async Task Requests_that_make_no_sense_are_refused_and_the_session_goes_on(string service, string request)
    {
        _ = _server.ConnectAsync(Token);
        await using var host = await ConnectAsync(null);

        (await Should.ThrowAsync<MuxStreamException>(host.Connection.CallAsync(service, System.Text.Encoding.UTF8.GetBytes(request), Token))).Code.ShouldBe(ProtocolCode.InvalidRequest);

        await host.Connection.PingAsync(Token);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_message_of_a_strange_kind_on_exec_kills_the_program()
    {
        _ = _server.ConnectAsync(Token);
        await using var host = await ConnectAsync(null);
        await using var exec = host.Connection.OpenStream(ServiceNames.Exec, """{"program":"sleep","arguments":["1000"],"stdin":true}"""u8.ToArray());
        int pid;
        using (var started = (await exec.ReadAsync(Token)).ShouldNotBeNull())
        {
            started.Kind.ShouldBe(MessageKinds.Started);
            pid = System.Text.Json.JsonSerializer.Deserialize(started.Payload.Span, ProtocolJson.Default.ExecStarted)!.Pid;
        }

        Directory.Exists($"/proc/{pid}").ShouldBeTrue();

        await exec.WriteAsync(0x7F, default, Token);

        (await Should.ThrowAsync<MuxStreamException>(exec.ReadAsync(Token).AsTask())).Code.ShouldBe(ProtocolCode.InvalidRequest);
        while (Directory.Exists($"/proc/{pid}"))
            await Task.Delay(5, Token);
    }

    private static StageReport Report(int number) => new() { Stage = "init", State = StageState.Completed, UptimeNanoseconds = number };

    private async Task<Host> ConnectAsync(string? hostname, bool takesReports = true)
    {
        var (left, right) = SocketPair.Create();
        await _guestEnds.Writer.WriteAsync(right, Token);
        var transport = new FrameTransport(left);
        var config = hostname is null ? null : new GuestConfig { Mode = GuestMode.Exec, Hostname = hostname, HostTimeUnixNanoseconds = 1, Entropy = [1] };
        var session = await WelcomeSide.RunAsync(transport, config is null ? null : () => config, "test", Token);
        return new Host(transport, session, takesReports);
    }

    private sealed class Host : IAsyncDisposable
    {
        private readonly FrameTransport _transport;
        private readonly Channel<StageReport> _reports = Channel.CreateUnbounded<StageReport>();

        public Host(FrameTransport transport, SessionInfo session, bool takesReports)
        {
            _transport = transport;
            Connection = MuxConnection.Start(transport, session, name => takesReports && name == ServiceNames.Events ? TakeReportsAsync : null);
        }

        public MuxConnection Connection { get; }

        public ChannelReader<StageReport> Reports => _reports.Reader;

        public async ValueTask DisposeAsync()
        {
            await Connection.DisposeAsync();
            await _transport.DisposeAsync();
        }

        private async Task TakeReportsAsync(MuxStream stream, CancellationToken cancellationToken)
        {
            while (await stream.ReadAsync(cancellationToken) is { } message)
            {
                using (message)
                    _reports.Writer.TryWrite(System.Text.Json.JsonSerializer.Deserialize(message.Payload.Span, ProtocolJson.Default.StageReport)!);
            }
        }
    }
}
