using System.Net;
using System.Net.Sockets;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Tests.Services;

/// <summary>Services here are real processes.</summary>
public sealed class ServiceManagerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);
    private readonly RecordingReporter _reporter = new();
    private readonly ConditionBoard _board = new();
    private readonly ServiceManager _manager;
    private Task _heldStill = Task.CompletedTask;

    public ServiceManagerTests() => _manager = new ServiceManager(Context() with { Reporter = _reporter, Board = _board, HeldStill = () => _heldStill });

    public void Dispose()
    {
        _manager.Dispose();
        _reaper.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_service_starts_once_its_conditions_hold_and_says_for_which_it_waits()
    {
        _manager.Start([Shell("first", "sleep 100") with { Conditions = [new Condition.Done(Milestone.StateDisk)] }, Shell("second", "sleep 100") with { Conditions = [new Condition.Healthy("first")] }]);
        (await _reporter.WaitForAsync(r => r.Stage == "services/first")).Detail.ShouldBe("waits for the state disk");
        (await _reporter.WaitForAsync(r => r.Stage == "services/second")).Detail.ShouldBe("waits for first to be healthy");
        _reporter.Reports.ShouldAllBe(r => r.Detail!.StartsWith("waits"));
        _board.Fulfil(new Condition.Done(Milestone.StateDisk));
        await _manager.HealthyAsync(TestContext.Current.CancellationToken);
        var states = _reporter.Reports.Select(r => (r.Stage, r.State)).ToList();
        states.IndexOf(("services/second", StageState.Completed)).ShouldBeGreaterThan(states.IndexOf(("services/first", StageState.Completed)));
        await _manager.StopAsync(0, 100);
    }

    [Fact]
    public async Task One_that_can_be_reached_lets_others_start_before_it_is_healthy()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _manager.Start([
            Shell("api", "sleep 100") with { Reachable = new HealthCheck.Tcp(port), Health = new HealthCheck.UnixSocket(_folder.File("never")) },
            Shell("early", "sleep 100") with { Conditions = [new Condition.Answering("api")] },
            Shell("late", "sleep 100") with { Conditions = [new Condition.Healthy("api")] }]);
        await _reporter.WaitForAsync(r => r is { Stage: "services/early", State: StageState.Completed });
        _board.Holds(new Condition.Healthy("api")).ShouldBeFalse();
        _reporter.Reports.ShouldNotContain(r => r.Stage == "services/late" && r.Detail!.StartsWith("runs"));
        await _manager.StopAsync(0, 100);
    }

    [Fact]
    public async Task One_that_ends_is_started_again_after_a_pause_and_the_host_is_told_why()
    {
        _manager.Start([Shell("unlucky", $"echo the disk is full; [ -e {_folder.File("once")} ] && exec sleep 100; touch {_folder.File("once")}; exit 7")]);
        var failed = await _reporter.WaitForAsync(r => r.State == StageState.Failed);
        failed.Detail.ShouldBe("ended with exit code 7; starting again in 0.25 s");
        failed.Fault!.Code.ShouldBe("guest.service-ended");
        failed.Fault.What.ShouldContain("the disk is full");
        failed.Ended.ShouldBe(new ServiceEnd { ExitCode = 7, Restarts = 1 });
        await _reporter.WaitForAsync(r => _reporter.Reports.Count(x => x.Detail?.StartsWith("runs as process") == true) == 2);
        await _manager.StopAsync(0, 100);
    }

    [Fact(Timeout = 60_000)]
    public async Task Those_that_do_not_stop_can_be_killed_and_the_end_of_each_counts()
    {
        // Patience is longer than the test: only the kill can end it.
        _manager.Start([Shell("stubborn", $"trap '' TERM; touch {_folder.File("up")}; while :; do sleep 0.05; done") with { StopPatience = TimeSpan.FromHours(1) }]);
        await _manager.HealthyAsync(TestContext.Current.CancellationToken);
        await WaitForFileAsync("up");
        var stopping = _manager.StopAsync(0, 100);
        _manager.Kill(0, 100);
        await stopping.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_socket_that_a_killed_run_left_behind_does_not_keep_the_next_from_listening()
    {
        // As etcd, it refuses to start where the name is taken: first by what a former boot left there, then by its own killed run.
        var socket = _folder.File("listens.sock");
        using (var former = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            former.Bind(new UnixDomainSocketEndPoint(socket));
        var script = $"[ -e {socket} ] && echo address already in use && exit 1; touch {socket}; n=$(ls {_folder.Path} | grep -c run-); touch {_folder.Path}/run-$n; [ $n = 0 ] && kill -9 $$; exec sleep 100";
        _manager.Start([Shell("listens", script) with { Sockets = [socket] }]);

        (await _reporter.WaitForAsync(r => r.State == StageState.Failed)).Detail.ShouldStartWith("ended with signal 9");
        await _reporter.WaitForAsync(_ => _reporter.Reports.Count(r => r.Detail?.StartsWith("runs as process") == true) == 2);
        while (!File.Exists(_folder.File("run-1")))
            await Task.Delay(10, TestContext.Current.CancellationToken);
        await _manager.StopAsync(0, 100);

        _reporter.Reports.ShouldNotContain(r => r.Fault != null && r.Fault.What.Contains("address already in use"));
    }

    [Fact]
    public async Task One_that_is_replaced_runs_anew_at_once_and_has_not_failed()
    {
        _manager.Start([Shell("replaced", $"echo run >> {_folder.File("runs")}; exec sleep 100")]);
        await _manager.HealthyAsync(TestContext.Current.CancellationToken);
        _manager.Replace("replaced");
        await _reporter.WaitForAsync(r => _reporter.Reports.Count(x => x.Detail?.StartsWith("runs as process") == true) == 2);
        _reporter.Reports.ShouldNotContain(r => r.State == StageState.Failed);
        await _manager.StopAsync(0, 100);
    }

    [Fact]
    public async Task A_signal_that_comes_before_a_service_is_healthy_is_kept_until_it_is()
    {
        // Until it has set its trap, the signal would end it.
        var script = $"touch {_folder.File("up")}; while [ ! -e {_folder.File("go")} ]; do sleep 0.01; done; trap 'echo again >> {_folder.File("read")}' HUP; touch {_folder.File("ready")}; while :; do sleep 0.01; done";
        _manager.Start([Shell("reader", script) with { Health = new HealthCheck.UnixSocket(_folder.File("socket")) }]);
        await WaitForFileAsync("up");
        _manager.Signal("reader", 1);
        await File.WriteAllTextAsync(_folder.File("go"), "", TestContext.Current.CancellationToken);
        await WaitForFileAsync("ready");
        File.Exists(_folder.File("read")).ShouldBeFalse();
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_folder.File("socket")));
        socket.Listen();
        await WaitForFileAsync("read");
        _reporter.Reports.ShouldNotContain(r => r.State == StageState.Failed);
        await _manager.StopAsync(0, 100);
    }

    [Fact]
    public async Task One_that_cannot_be_started_is_tried_again_and_named()
    {
        _manager.Start([Shell("missing", "") with { Command = ["/nowhere/program"] }]);
        (await _reporter.WaitForAsync(r => r.State == StageState.Failed)).Fault!.What.ShouldContain("/nowhere/program");
        await _manager.StopAsync(0, 100);
    }

    [Fact]
    public async Task Stopping_sends_a_signal_that_the_service_can_handle()
    {
        _manager.Start([Shell("polite", $"trap 'echo bye > {_folder.File("bye")}; exit 0' TERM; touch {_folder.File("up")}; while :; do sleep 0.01; done")]);
        await WaitForFileAsync("up");
        await _manager.StopAsync(0, 100);
        (await File.ReadAllTextAsync(_folder.File("bye"), TestContext.Current.CancellationToken)).ShouldBe("bye\n");
    }

    [Fact]
    public async Task One_that_ignores_the_signal_is_killed_after_its_patience()
    {
        _manager.Start([Shell("stubborn", $"trap '' TERM; touch {_folder.File("up")}; while :; do sleep 0.01; done") with { StopPatience = TimeSpan.FromMilliseconds(100) }]);
        await WaitForFileAsync("up");
        var process = int.Parse((await _reporter.WaitForAsync(r => r.Detail?.StartsWith("runs as process") == true)).Detail!.Split(' ')[^1]);
        await _manager.StopAsync(0, 100).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Directory.Exists($"/proc/{process}").ShouldBeFalse();
    }

    [Fact]
    public async Task Services_stop_in_their_order()
    {
        const string Script = "trap 'echo $0 >> {0}; exit 0' TERM; touch {0}.$0; while :; do sleep 0.01; done";
        var log = _folder.File("order");
        Service At(string name, int order) => Shell(name, "") with { Command = ["/bin/sh", "-c", Script.Replace("{0}", log, StringComparison.Ordinal), name], StopOrder = order };
        _manager.Start([At("database", 80), At("proxy", 10), At("api", 70)]);
        foreach (var name in (string[])["database", "proxy", "api"])
            await WaitForFileAsync("order." + name);
        await _manager.StopAsync(0, 49);
        (await File.ReadAllTextAsync(log, TestContext.Current.CancellationToken)).ShouldBe("proxy\n");
        await _manager.StopAsync(50, 100);
        (await File.ReadAllTextAsync(log, TestContext.Current.CancellationToken)).ShouldBe("proxy\napi\ndatabase\n");
    }

    [Fact]
    public async Task A_stop_while_it_waits_for_its_condition_ends_at_once()
    {
        _manager.Start([Shell("waiting", "sleep 100") with { Conditions = [new Condition.Done(Milestone.Firewall)] }]);
        await _reporter.WaitForAsync(r => r.Detail == "waits for the firewall");
        await _manager.StopAsync(0, 100).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task One_that_answered_and_does_not_any_more_is_started_again()
    {
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_folder.File("socket")));
        listener.Listen();
        _manager.Start([Shell("hanging", "sleep 100") with { Health = new HealthCheck.UnixSocket(_folder.File("socket")) }]);
        await _reporter.WaitForAsync(r => r.State == StageState.Completed);
        listener.Dispose();
        File.Delete(_folder.File("socket"));
        (await _reporter.WaitForAsync(r => r.State == StageState.Failed)).Detail!.ShouldStartWith("did not answer for 0.2 s and ended with signal 15");
        await _manager.StopAsync(0, 100);
    }

    [Fact(Timeout = 60_000)]
    public async Task One_whose_successor_never_gets_well_is_started_once_more()
    {
        // Healthy, then silent and so started again; the next is not healthy in time; a later one is.
        _manager.Start([Shell("late", "exec sleep 100") with { Health = new HealthCheck.UnixSocket(_folder.File("socket")) }]);
        using var first = Listen();
        await _reporter.WaitForAsync(r => r.State == StageState.Completed);
        first.Dispose();
        File.Delete(_folder.File("socket"));
        var failed = await _reporter.WaitForAsync(r => r.Detail?.StartsWith("was not healthy within 0.2 s of its start", StringComparison.Ordinal) == true);
        failed.State.ShouldBe(StageState.Failed);
        using var second = Listen();
        await _reporter.WaitForAsync(r => _reporter.Reports.Count(x => x.State == StageState.Completed) == 2);
        await _manager.StopAsync(0, 100);

        Socket Listen()
        {
            var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(_folder.File("socket")));
            listener.Listen();
            return listener;
        }
    }

    [Fact(Timeout = 60_000)]
    public async Task One_that_is_held_still_is_not_asked_and_is_not_silent()
    {
        var held = new TaskCompletionSource();
        _heldStill = held.Task;
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_folder.File("socket")));
        listener.Listen();
        var other = new RecordingReporter();
        using var others = new ServiceManager(Context() with { Reporter = other });
        others.Start([Shell("silent", "sleep 100") with { Health = new HealthCheck.UnixSocket(_folder.File("socket")) }]);
        _manager.Start([Shell("still", "sleep 100") with { Health = new HealthCheck.UnixSocket(_folder.File("socket")) }]);
        await other.WaitForAsync(r => r.State == StageState.Completed);
        await _reporter.WaitForAsync(r => r.State == StageState.Completed);
        listener.Dispose();
        File.Delete(_folder.File("socket"));

        // Longer than it may be silent: another of the same limit, which nobody holds still, has failed meanwhile, and its successors too.
        await other.WaitForAsync(_ => other.Reports.Count(r => r.State == StageState.Failed) >= 3);
        _reporter.Reports.ShouldNotContain(r => r.State == StageState.Failed);
        await others.StopAsync(0, 100);

        held.SetResult();
        (await _reporter.WaitForAsync(r => r.State == StageState.Failed)).Detail!.ShouldStartWith("did not answer for 0.2 s");
        await _manager.StopAsync(0, 100);
    }

    [Fact]
    public async Task Health_over_http_is_the_answer_200_and_nothing_else()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var probe = new HealthProbe();
        foreach (var (answer, healthy) in new[] { ("HTTP/1.0 200 OK\r\n\r\nok", true), ("HTTP/1.1 500 Internal Server Error\r\n\r\n200", false), ("", false) })
        {
            var serving = ServeOnceAsync(listener, answer);
            (await probe.AskAsync(new HealthCheck.Http(port, "/healthz"), TestContext.Current.CancellationToken)).ShouldBe(healthy, answer);
            (await serving).ShouldStartWith("GET /healthz HTTP/1.0\r\n");
        }

        listener.Stop();
        (await probe.AskAsync(new HealthCheck.Http(port, "/healthz"), TestContext.Current.CancellationToken)).ShouldBeFalse();
    }

    private static async Task<string> ServeOnceAsync(TcpListener listener, string answer)
    {
        using var socket = await listener.AcceptSocketAsync();
        var request = new byte[1024];
        var length = await socket.ReceiveAsync(request);
        await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(answer));
        return System.Text.Encoding.ASCII.GetString(request, 0, length);
    }

    private ServiceContext Context() => new()
    {
        Launcher = new ProcessLauncher(_reaper),
        Reporter = new RecordingReporter(),
        Board = new ConditionBoard(),
        Probe = new HealthProbe(),
        Logs = _folder.File("logs"),
        Cgroups = false,
        AskEvery = TimeSpan.FromMilliseconds(20),
        SilenceLimit = TimeSpan.FromMilliseconds(200),
    };

    private static Service Shell(string name, string script) => new() { Name = name, Command = ["/bin/sh", "-c", script], StopOrder = 10 };

    private async Task WaitForFileAsync(string name)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!File.Exists(_folder.File(name)))
            await Task.Delay(5, patience.Token);
    }
}
