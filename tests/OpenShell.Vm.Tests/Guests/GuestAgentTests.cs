using System.Net.Sockets;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Tests.Guests;

public sealed class GuestAgentTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact(Timeout = 30_000)]
    public async Task The_guest_gets_its_configuration_with_the_time_of_its_sending()
    {
        var before = DateTimeOffset.UtcNow;
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);

        var config = await guest.Config.WaitAsync(Token);

        config.Hostname.ShouldBe("test");
        DateTimeOffset.FromUnixTimeMilliseconds(config.HostTimeUnixNanoseconds / 1_000_000).ShouldBeInRange(before.AddSeconds(-1), DateTimeOffset.UtcNow);
    }

    [Fact(Timeout = 30_000)]
    public async Task Reports_arrive_in_order_also_those_made_before_there_was_a_host()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        for (var i = 0; i < 100; i++)
            await guest.Server.ReportAsync(new StageReport { Stage = $"services/{i}", State = StageState.Completed, UptimeNanoseconds = i }, Token);

        while (guest.Reports.Count < 100)
            await Task.Delay(5, Token);

        guest.Reports.Select(report => report.UptimeNanoseconds).ShouldBe(Enumerable.Range(0, 100).Select(i => (long)i));
    }

    [Theory(Timeout = 30_000), CombinatorialRoutes]
    public async Task Power_off_reaches_the_guest(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        await guest.Agent.PowerOffAsync(Token);

        guest.PowerRequests.ShouldBe([new PowerRequest(PowerAction.Off)]);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_new_host_takes_the_place_of_one_that_went_away()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        await guest.Agent.DisposeAsync();

        await using var next = await GuestAgent.ConnectAsync(guest.Socket, cancellationToken: Token);

        (await next.ShellAsync("echo again")).Out.ShouldBe("again\n");
        (await guest.Agent.Closed).ShouldNotBeEmpty();
    }

    [Fact(Timeout = 30_000)]
    public async Task A_host_waits_for_a_socket_that_does_not_exist_yet()
    {
        var folder = Directory.CreateTempSubdirectory("openshell-").FullName;
        var path = Path.Combine(folder, "agent");
        try
        {
            var connecting = GuestAgent.ConnectAsync(path, GuestOnHost.SomeConfig, cancellationToken: Token);
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            connecting.IsCompleted.ShouldBeFalse();
            listener.Listen();
            using var accepted = await listener.AcceptAsync(Token);
            accepted.Close();

            (await Should.ThrowAsync<FaultException>(connecting)).Faults[0].Code.ShouldBe("guest.handshake-failed");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact(Timeout = 30_000)]
    public async Task Attaching_where_nobody_listens_says_so_soon()
    {
        var error = await Should.ThrowAsync<FaultException>(GuestAgent.ConnectAsync("/tmp/openshell-no-such-socket", cancellationToken: Token));

        error.Faults[0].Code.ShouldBe("guest.not-running");
        error.Faults[0].Remedy.ShouldContain("gateway up");
    }

    [Fact(Timeout = 30_000)]
    public async Task A_guest_that_never_answers_is_waited_for_until_the_caller_gives_up()
    {
        var folder = Directory.CreateTempSubdirectory("openshell-").FullName;
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, "agent")));
        listener.Listen();
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(600));

        await Should.ThrowAsync<OperationCanceledException>(GuestAgent.ConnectAsync(Path.Combine(folder, "agent"), GuestOnHost.SomeConfig, null, patience.Token));
        Directory.Delete(folder, recursive: true);
    }

    [Fact(Timeout = 30_000)]
    public async Task A_request_larger_than_a_frame_is_refused_with_a_remedy()
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);

        var error = await Should.ThrowAsync<FaultException>(guest.Agent.ExecAsync(new ExecRequest { Program = "true", Arguments = [new string('x', 70_000)] }, Token));

        error.Faults[0].Code.ShouldBe("guest.request-too-large");
        error.Faults[0].IsUsage.ShouldBeTrue();
    }

    [Theory(Timeout = 30_000)]
    [InlineData("", "A=1", null)]
    [InlineData("true", "A", null)]
    [InlineData("true", "A=1", "relative")]
    [InlineData("tr\0ue", "A=1", null)]
    public async Task A_request_that_makes_no_sense_is_refused(string program, string variable, string? directory)
    {
        await using var guest = await GuestOnHost.StartAsync(Route.Direct);
        await using var process = await guest.Agent.ExecAsync(new ExecRequest { Program = program, Environment = [variable], WorkingDirectory = directory }, Token);

        if (program.Length == 0)
            (await process.Completion.WaitAsync(Token)).ExitCode.ShouldBe(127);
        else
            (await Should.ThrowAsync<FaultException>(process.Completion.WaitAsync(Token))).Faults[0].Code.ShouldBe("guest.invalid-request");
    }

    [Theory(Timeout = 60_000), CombinatorialRoutes]
    public async Task Many_programs_one_after_the_other_each_end_with_their_own_code(Route route)
    {
        await using var guest = await GuestOnHost.StartAsync(route);

        // How long that takes, bench/ says.
        for (var i = 0; i < 200; i++)
            (await guest.Agent.ShellAsync($"exit {i}")).Code.ShouldBe(i);
    }
}
