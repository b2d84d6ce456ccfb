using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors.Krun;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Supervision;
using OpenShell.Vm.Tests.Hypervisors.Krun;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Supervision;

/// <summary>The real supervisor with a real gvproxy, and a machine in which nobody says a word: forwards come and go all the same.</summary>
public sealed class LivePortsTests(Recorder recorder) : IClassFixture<Recorder>, IDisposable
{
    private readonly TestFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 120_000)]
    public async Task Forwards_come_and_go_while_it_runs_and_are_there_after_the_next_start()
    {
        var socket = _folder.File("web.sock");
        var instances = Instances();
        PortForward web;
        await using (var running = await StartAsync(instances))
        {
            web = (await instances.AddPortAsync("box", new PortForward { HostPort = 0, GuestPort = 80 }, Token)).Forward;
            web.HostPort.ShouldNotBe(0);
            (await instances.AddPortAsync("box", new PortForward { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = socket, GuestPort = 80 }, Token)).InForce.ShouldBeTrue();
            var dns = (await instances.AddPortAsync("box", new PortForward { Protocol = PortProtocol.Udp, HostPort = 0, GuestPort = 53 }, Token)).Forward;

            PortCheck.IsFree(PortProtocol.Tcp, web.HostAddress, web.HostPort).ShouldBeFalse();
            PortCheck.IsFree(PortProtocol.Udp, dns.HostAddress, dns.HostPort).ShouldBeFalse();
            File.Exists(socket).ShouldBeTrue();
            var listed = await instances.ListPortsAsync("box", Token);
            listed.ShouldAllBe(port => port.InForce);
            listed.Select(port => port.Purpose).ShouldBe(["the gateway", "the API server", null, null, null]);
            (await instances.FindAsync("box", Token))!.Ports.Count.ShouldBe(5);

            await RefusedAsync(instances, listed[0].Forward, web);

            await instances.RemovePortAsync("box", $"{dns.HostPort}/udp", Token);
            PortCheck.IsFree(PortProtocol.Udp, dns.HostAddress, dns.HostPort).ShouldBeTrue();
            (await instances.ListPortsAsync("box", Token)).Count.ShouldBe(4);
            await running.StopAsync();
        }

        File.Exists(socket).ShouldBeFalse();
        PortCheck.IsFree(PortProtocol.Tcp, web.HostAddress, web.HostPort).ShouldBeTrue();
        await using (var again = await StartAsync(instances))
        {
            (await instances.ListPortsAsync("box", Token)).Where(port => port.InForce).Select(port => port.Forward.GuestPort).ShouldBe([30051, 6443, 80, 80]);
            PortCheck.IsFree(PortProtocol.Tcp, web.HostAddress, web.HostPort).ShouldBeFalse();
            await again.StopAsync();
        }

        Events().ShouldBe(
        [
            EventNames.Starting, EventNames.MachineStarted, EventNames.ForwardAdded, EventNames.ForwardAdded, EventNames.ForwardAdded, EventNames.ForwardRemoved,
            EventNames.Stopping, EventNames.ShutdownStep, EventNames.ShutdownStep, EventNames.Stopped,
            EventNames.Starting, EventNames.MachineStarted, EventNames.Stopping, EventNames.ShutdownStep, EventNames.ShutdownStep, EventNames.Stopped,
        ]);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_forward_that_gvproxy_has_lost_is_made_again_and_told()
    {
        var instances = Instances();
        await using var running = await StartAsync(instances);
        var web = (await instances.AddPortAsync("box", new PortForward { HostPort = 0, GuestPort = 80 }, Token)).Forward;
        using (var client = new GvproxyClient(InstanceFiles.For(_folder.Directories, InstanceName.Parse("box")).NetworkControlSocket))
            await client.UnexposeAsync(web, Token);
        PortCheck.IsFree(PortProtocol.Tcp, web.HostAddress, web.HostPort).ShouldBeTrue();

        await Eventually.BeTrueAsync(() => Events().Contains(EventNames.ForwardRemade), "it is made again");
        PortCheck.IsFree(PortProtocol.Tcp, web.HostAddress, web.HostPort).ShouldBeFalse();
        Events().Count(name => name == EventNames.ForwardLost).ShouldBe(1);
        await running.StopAsync();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_chosen_port_that_somebody_takes_before_gvproxy_does_is_replaced_by_another()
    {
        var port = PortCheck.Bind(PortProtocol.Tcp, "127.0.0.1", 0);
        var files = LastRanOn(port);
        await using var running = await StartAsync(Instances(options => options with { Host = options.Host! with { Gvproxy = Racing(port) } }, Quiet));
        var now = (await Instances().ListPortsAsync("box", Token)).Single(p => p.Purpose == "the gateway");
        now.InForce.ShouldBeTrue();
        now.Forward.HostPort.ShouldNotBe(port);
        (await Instances().FindAsync("box", Token))!.Ports.ShouldContain(now.Forward);
        (await File.ReadAllTextAsync(files.SupervisorLog, Token)).ShouldContain($"Port {port} of 127.0.0.1");
        await running.StopAsync();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_port_that_was_asked_for_and_taken_before_gvproxy_does_is_named_with_its_holder()
    {
        var port = PortCheck.Bind(PortProtocol.Tcp, "127.0.0.1", 0);
        var instances = Instances(options => options with { Host = options.Host! with { Gvproxy = Racing(port) } }, Quiet);
        await using var running = await instances.RunAsync(Config() with { GatewayPort = port }, cancellationToken: Token);
        var fault = (await Should.ThrowAsync<FaultException>(() => running.Completion)).Faults[0];
        fault.Code.ShouldBe("network.port-busy");
        fault.What.ShouldContain($"Port {port} of 127.0.0.1, for the gateway, is in use by");
        (await instances.FindAsync("box", Token))!.Phase.ShouldBe(InstancePhase.Failed);
    }

    [Fact(Timeout = 120_000)]
    public async Task An_instance_that_fails_is_started_again_with_growing_pauses_until_it_is_stopped()
    {
        var instances = Instances(options => options with { RestartsFirstStart = true, RestartBackoff = new Backoff(TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(40), TimeSpan.FromHours(1)) }, ("RECORDER_EXIT", "134"));
        await using var running = await instances.RunAsync(Config() with { Restart = RestartPolicies.OnFailure }, cancellationToken: Token);
        await Eventually.BeTrueAsync(() => Events().Count(name => name == EventNames.Restarted) >= 3, "it is started again three times");
        running.Completion.IsCompleted.ShouldBeFalse();

        await instances.StopAsync("box", cancellationToken: Token);
        (await running.Completion.WaitAsync(Eventually.Limit, Token)).ShouldBe(0);
        Events()[^1].ShouldBe(EventNames.Stopped);
        (await instances.FindAsync("box", Token))!.Phase.ShouldBe(InstancePhase.Stopped);
        var restarts = File.ReadLines(EventsFile).Select(line => JsonSerializer.Deserialize(line, EventJson.Default.InstanceEvent)!).Where(e => e.Event == EventNames.Restarted).Select(e => e.Restarts!.Value).ToArray();
        restarts.ShouldBe(Enumerable.Range(1, restarts.Length));
        EachEventIsALineOfTheLog();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_start_by_policy_that_fails_gives_the_instance_back_though_nothing_can_be_said_in_its_file()
    {
        var instances = Instances(options => options with { RestartsFirstStart = true, RestartBackoff = new Backoff(TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(2), TimeSpan.FromHours(1)) }, ("RECORDER_EXIT", "134"));
        await using var running = await instances.RunAsync(Config() with { Restart = RestartPolicies.Always }, cancellationToken: Token);
        var files = InstanceFiles.For(_folder.Directories, InstanceName.Parse("box"));

        // Which is read by each start, and a name under which nothing can be written.
        await File.WriteAllTextAsync(files.Origin, "garbage", Token);
        Directory.CreateDirectory(files.Fault);

        (await Should.ThrowAsync<FaultException>(() => running.Completion.WaitAsync(Eventually.Limit, Token))).Faults[0].Code.ShouldBe("instance.broken");
        InstanceLock.HolderOf(files).ShouldBeNull();
        InstanceLock.Acquire(files, "box").Dispose();
        InstanceStore.ReadStatus(files).ShouldNotBeNull().Phase.ShouldBe(InstancePhase.Failed);
        Events()[^2..].ShouldBe([EventNames.Restarted, EventNames.Failed]);
        EachEventIsALineOfTheLog();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_forward_is_kept_while_gvproxy_does_not_answer_who_wants_it_removed()
    {
        var instances = Instances();
        await using var running = await StartAsync(instances);
        var web = (await instances.AddPortAsync("box", new PortForward { HostPort = 0, GuestPort = 80 }, Token)).Forward;
        var gvproxy = (await instances.FindAsync("box", Token)).ShouldNotBeNull().Processes["gvproxy"];
        ProcessIdentities.Signal(gvproxy, Stop);
        try
        {
            var fault = await FaultAsync(() => instances.RemovePortAsync("box", $"{web.HostPort}", Token));
            fault.Code.ShouldBe("network.gvproxy-silent");
            fault.What.ShouldContain("Nothing was changed");
            (await instances.ConfigAsync("box", Token)).ShouldNotBeNull().AddedPorts.ShouldBe([web]);
            (await instances.FindAsync("box", Token)).ShouldNotBeNull().Ports.ShouldContain(web);
        }
        finally
        {
            ProcessIdentities.Signal(gvproxy, Continue);
        }

        await instances.RemovePortAsync("box", $"{web.HostPort}", Token);
        (await instances.ConfigAsync("box", Token)).ShouldNotBeNull().AddedPorts.ShouldBeEmpty();
        PortCheck.IsFree(PortProtocol.Tcp, web.HostAddress, web.HostPort).ShouldBeTrue();
        await running.StopAsync();
        EachEventIsALineOfTheLog();
    }

    [Fact(Timeout = 120_000)]
    public async Task A_forward_whose_removal_cannot_be_kept_is_there_as_before()
    {
        var instances = Instances();
        await using var running = await StartAsync(instances);
        var web = (await instances.AddPortAsync("box", new PortForward { HostPort = 0, GuestPort = 80 }, Token)).Forward;
        var files = InstanceFiles.For(_folder.Directories, InstanceName.Parse("box"));
        var config = await File.ReadAllTextAsync(files.Config, Token);
        await File.WriteAllTextAsync(files.Config, "garbage", Token);

        (await FaultAsync(() => instances.RemovePortAsync("box", $"{web.HostPort}", Token))).Code.ShouldBe("instance.broken");

        (await instances.ListPortsAsync("box", Token)).Single(port => port.Forward == web).InForce.ShouldBeTrue();
        PortCheck.IsFree(PortProtocol.Tcp, web.HostAddress, web.HostPort).ShouldBeFalse();
        await File.WriteAllTextAsync(files.Config, config, Token);
        await running.StopAsync();
    }

    [Fact(Timeout = 120_000)]
    public async Task Before_it_is_started_again_it_is_still_taken_says_why_and_can_be_stopped()
    {
        var instances = Instances(options => options with { RestartsFirstStart = true, RestartBackoff = new Backoff(TimeSpan.FromHours(1), TimeSpan.FromHours(1), TimeSpan.FromHours(1)) }, ("RECORDER_EXIT", "134"));
        await using var running = await instances.RunAsync(Config() with { Restart = RestartPolicies.Always }, cancellationToken: Token);
        await Eventually.BeTrueAsync(() => Events().Contains(EventNames.Failed), "it has failed");
        await Eventually.BeTrueAsync(() => instances.FindAsync("box", Token).Result is { Phase: InstancePhase.Starting, Fault.Code: "vmm.ended" }, "its status says why it waits");
        (await Should.ThrowAsync<FaultException>(() => instances.RunAsync(Config(), cancellationToken: Token))).Faults[0].Code.ShouldBe("instance.running");

        await instances.StopAsync("box", cancellationToken: Token);
        (await running.Completion.WaitAsync(Eventually.Limit, Token)).ShouldBe(0);
        Events().ShouldNotContain(EventNames.Restarted);
        (await instances.FindAsync("box", Token))!.Phase.ShouldBe(InstancePhase.Stopped);
    }

    [Fact(Timeout = 120_000)]
    public async Task One_that_is_stopped_while_it_ends_by_itself_is_not_started_again()
    {
        var instances = Instances(
            options => options with
            {
                RestartsFirstStart = true,
                RestartBackoff = new Backoff(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1)),
                Host = options.Host! with { Gvproxy = Stubborn() },
            },
            ("RECORDER_EXIT", "134"));
        await using var running = await instances.RunAsync(Config() with { Restart = RestartPolicies.Always }, cancellationToken: Token);
        await Eventually.BeTrueAsync(() => Events().Contains(EventNames.MachineEnded), "its machine has ended");
        Events().ShouldNotContain(EventNames.Failed);

        await instances.StopAsync("box", cancellationToken: Token);
        (await running.Completion.WaitAsync(Eventually.Limit, Token)).ShouldBe(0);
        Events().ShouldNotContain(EventNames.Restarted);
        (await instances.FindAsync("box", Token))!.Phase.ShouldBe(InstancePhase.Stopped);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_policy_that_is_changed_while_it_runs_counts_at_its_next_end()
    {
        var instances = Instances(options => options with { RestartsFirstStart = true, RestartBackoff = new Backoff(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1)) }, ("RECORDER_EXIT", "134"));
        await using var running = await instances.RunAsync(Config() with { Restart = RestartPolicies.OnFailure }, cancellationToken: Token);
        await Eventually.BeTrueAsync(() => Events().Contains(EventNames.Restarted), "it is started again");
        await instances.EditAsync("box", config => config with { Restart = RestartPolicies.No }, Token);
        (await Should.ThrowAsync<FaultException>(() => running.Completion.WaitAsync(Eventually.Limit, Token))).Faults[0].Code.ShouldBe("vmm.ended");
        (await instances.FindAsync("box", Token))!.Phase.ShouldBe(InstancePhase.Failed);
    }

    [Fact(Timeout = 120_000)]
    public async Task A_hypervisor_that_ends_is_an_event_with_its_fault()
    {
        var instances = Instances(("RECORDER_EXIT", "134"));
        await using var running = await instances.RunAsync(Config(), cancellationToken: Token);
        await Should.ThrowAsync<FaultException>(() => running.Completion.WaitAsync(Eventually.Limit, Token));
        Events().ShouldBe([EventNames.Starting, EventNames.MachineStarted, EventNames.MachineEnded, EventNames.Failed]);
    }

    private static async Task RefusedAsync(LocalInstances instances, PortForward gateway, PortForward web)
    {
        using var busy = new TcpListener(IPAddress.Loopback, 0);
        busy.Start();
        var busyPort = ((IPEndPoint)busy.LocalEndpoint).Port;
        var before = (await instances.ListPortsAsync("box", Token)).Count;

        (await FaultAsync(() => instances.AddPortAsync("box", new PortForward { HostPort = busyPort, GuestPort = 1 }, Token))).What.ShouldContain($"(pid {Environment.ProcessId})");
        (await FaultAsync(() => instances.AddPortAsync("box", web, Token))).Code.ShouldBe("network.forward-exists");
        (await FaultAsync(() => instances.AddPortAsync("box", gateway with { GuestPort = 1 }, Token))).What.ShouldContain("for the gateway");
        (await FaultAsync(() => instances.AddPortAsync("box", new PortForward { HostAddress = "192.0.2.1", HostPort = 0, GuestPort = 1 }, Token))).Code.ShouldBe("network.address-not-here");
        (await FaultAsync(() => instances.RemovePortAsync("box", "1", Token))).Code.ShouldBe("network.forward-unknown");
        (await FaultAsync(() => instances.RemovePortAsync("box", $"{gateway.HostPort}", Token))).Code.ShouldBe("network.forward-needed");
        (await FaultAsync(() => instances.AddPortAsync("box", new PortForward { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = "/no/such/folder/s", GuestPort = 1 }, Token))).Code.ShouldBe("network.socket-path");

        (await instances.ListPortsAsync("box", Token)).Count.ShouldBe(before);
    }

    private (string, string) Quiet => ("RECORDER_GUEST", _folder.File("nobody"));

    /// <summary>The ports of its last run: one that was chosen is taken again.</summary>
    private InstanceFiles LastRanOn(int gateway)
    {
        var files = _folder.Instance("box");
        InstanceStore.WriteConfig(files, Config());
        InstanceStore.WriteStatus(files, new InstanceStatus { Name = "box", Phase = InstancePhase.Stopped, Ports = [new PortForward { HostPort = gateway, GuestPort = GuestNetworkPlan.GatewayPort }] });
        return files;
    }

    /// <summary>A gvproxy in whose start somebody is quicker: after the port was found to be free, and before it is opened. Whoever it is ends with gvproxy.</summary>
    private string Racing(int port)
    {
        if (!File.Exists(OpenShell.Tests.Python.Path))
            Assert.Skip($"{OpenShell.Tests.Python.Path} is missing (package python3)");
        var script = Beside("gvproxy");
        File.WriteAllText(
            script,
            $"""
            #!{OpenShell.Tests.Python.Path}
            import ctypes, os, signal, socket, sys
            read, write = os.pipe()
            if os.fork() == 0:
                ctypes.CDLL(None).prctl(1, signal.SIGKILL)
                taken = socket.socket()
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                taken.bind(("127.0.0.1", {port}))
                taken.listen()
                os.write(write, b"x")
                signal.pause()
            os.read(read, 1)
            os.execv("{Itself()}", sys.argv)
            """);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return script;
    }

    private string Beside(string name) => Path.Combine(Directory.CreateDirectory(_folder.File("bin")).FullName, name);

    /// <summary>Beside the script that becomes it: what lies there is all of the user's that such a process is let to.</summary>
    private string Itself()
    {
        var copy = Beside("gvproxy-itself");
        File.Copy(RealTools.Gvproxy, copy, overwrite: true);
        return copy;
    }

    /// <summary>A gvproxy that has to be killed: until then its instance is ending.</summary>
    private string Stubborn()
    {
        if (!File.Exists(OpenShell.Tests.Python.Path))
            Assert.Skip($"{OpenShell.Tests.Python.Path} is missing (package python3)");
        var script = Beside("stubborn");
        File.WriteAllText(
            script,
            $"""
            #!{OpenShell.Tests.Python.Path}
            import ctypes, os, signal, sys
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if os.fork() == 0:
                ctypes.CDLL(None).prctl(1, signal.SIGKILL)
                os.execv("{Itself()}", sys.argv)
            while True:
                signal.pause()
            """);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return script;
    }

    private static async Task<Fault> FaultAsync(Func<Task> action) => (await Should.ThrowAsync<FaultException>(action)).Faults[0];

    /// <summary>SIGSTOP and SIGCONT, of x86 and ARM.</summary>
    private const int Stop = 19, Continue = 18;

    /// <summary>As often as it happened.</summary>
    private void EachEventIsALineOfTheLog()
    {
        var log = File.ReadAllText(Path.Combine(_folder.Path, "instances", "box", "supervisor.log"));
        foreach (var same in File.ReadLines(EventsFile).Select(line => JsonSerializer.Deserialize(line, EventJson.Default.InstanceEvent)!).GroupBy(happened => happened.Message))
            log.Split($"Z {same.Key}\n").Length.ShouldBe(same.Count() + 1, $"{same.First().Event}: {same.Key}\n{log}");
    }

    private string EventsFile => Path.Combine(_folder.Path, "instances", "box", "events.jsonl");

    private string[] Events() =>
        [.. File.ReadLines(EventsFile).Select(line => JsonSerializer.Deserialize(line, EventJson.Default.InstanceEvent)!.Event)];

    private async Task<IRunningInstance> StartAsync(LocalInstances instances)
    {
        File.Delete(_folder.File("calls"));
        var running = await instances.RunAsync(Config(), cancellationToken: Token);
        await Eventually.BeTrueAsync(() => running.Completion.IsCompleted || (File.Exists(_folder.File("calls")) && File.ReadAllText(_folder.File("calls")).Contains("krun_start_enter", StringComparison.Ordinal)), "the machine is entered");
        if (running.Completion.IsCompleted)
            await running.Completion;
        return running;
    }

    private InstanceConfig Config()
    {
        foreach (var file in new[] { "root/sbin/openshell-init", "root/usr/lib/openshell/kubernetes" })
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(file))!);
            File.WriteAllText(_folder.File(file), "");
        }

        return KrunMachine.Cluster with { Name = "box", RootDirectory = _folder.File("root"), Distribution = "upstream", Vcpus = 1, MemoryMib = 2048, GatewayPort = 0 };
    }

    private LocalInstances Instances(params (string Name, string Value)[] environment) => Instances(options => options, environment);

    private LocalInstances Instances(Func<InstancesOptions, InstancesOptions> change, params (string Name, string Value)[] environment)
    {
        var variables = environment.ToDictionary(variable => variable.Name, variable => variable.Value);
        variables["RECORDER_LOG"] = _folder.File("calls");
        if (environment.Length == 0)
            variables["RECORDER_GUEST"] = _folder.File("nobody");
        foreach (var (name, value) in VmmEnvironment.Current([], isMac: false))
            variables[name] = value;
        var host = KrunMachine.Host(recorder.Library(19), recorder.Firmware()) with
        {
            Qemu = null,
            Gvproxy = RealTools.Gvproxy,
            VmmProgram = new VmmProgram([Recorder.Gateway, "__vmm"], variables),
        };
        return new LocalInstances(change(new InstancesOptions { Directories = _folder.Directories, Host = host, HelloBudget = TimeSpan.FromMinutes(5) }));
    }
}
