using System.Net.Sockets;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Hypervisors.Krun;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Tests.Support;

namespace OpenShell.Vm.Tests.Hypervisors.Krun;

/// <summary>
/// The real supervisor with the real <c>gateway __vmm</c> and the recording libkrun, whose vsock port leads to the guest's real agent in this process: everything of a
/// run but the machine.
/// </summary>
public sealed class KrunSupervisionTests(Recorder recorder) : IClassFixture<Recorder>, IDisposable
{
    private readonly TestFolder _folder = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_programs_exit_code_comes_over_the_channel_and_nothing_is_left()
    {
        await using var running = await StartAsync("exit 42", ("RECORDER_GUEST", _folder.File("guest")));

        // The host has dialled, and been hung up on, for as long as nobody listened in the guest.
        await Eventually.BeTrueAsync(() => Calls().Contains("krun_start_enter", StringComparison.Ordinal), "the machine is entered");
        await using var guest = new ListeningGuest(_folder.File("guest"));

        (await running.Completion.WaitAsync(Eventually.Limit, Token)).ShouldBe(42);
        (await guest.Config.WaitAsync(Eventually.Limit, Token)).Network.ShouldBeNull();
        Calls().ShouldContain("krun_set_root(0, \"" + Root);
        Directory.EnumerateDirectories(_folder.Path + "/run").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_machine_that_does_not_start_is_told_in_the_processs_own_words()
    {
        await using var running = await StartAsync("true", ("RECORDER_FAIL", "krun_add_vsock_port2:-17"));
        var fault = (await Should.ThrowAsync<FaultException>(() => running.Completion.WaitAsync(Eventually.Limit, Token))).Faults[0];
        fault.Code.ShouldBe("krun.socket-in-the-way");
        fault.What.ShouldContain("krun_add_vsock_port2");
    }

    [Theory]
    [InlineData("0", "guest.panicked")]
    [InlineData("134", "vmm.ended")]
    public async Task A_machine_that_ends_by_itself_is_lost(string exitCode, string code)
    {
        await using var running = await StartAsync("true", ("RECORDER_EXIT", exitCode));
        (await Should.ThrowAsync<FaultException>(() => running.Completion.WaitAsync(Eventually.Limit, Token))).Faults[0].Code.ShouldBe(code);
    }

    [Fact]
    public async Task A_stop_ends_the_process_by_SIGTERM()
    {
        await using var running = await StartAsync("true", ("RECORDER_GUEST", _folder.File("guest")));
        await Eventually.BeTrueAsync(() => Calls().Contains("krun_start_enter", StringComparison.Ordinal), "the machine is entered");
        await running.StopAsync().WaitAsync(Eventually.Limit, Token);
        Calls().ShouldEndWith("ended by SIGTERM\n");
        Directory.EnumerateDirectories(_folder.Path + "/run").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_host_without_hardware_virtualization_is_refused_before_anything_is_started()
    {
        await MakeRootAsync();
        await using var running = await new LocalInstances(Options([]) with { Host = Host([]) with { Accelerators = Made.Host().Accelerators } }).RunAsync(Config("true"), cancellationToken: Token);
        (await Should.ThrowAsync<FaultException>(() => running.Completion.WaitAsync(Eventually.Limit, Token))).Faults[0].Code.ShouldBe("krun.no-hardware");
        File.Exists(_folder.File("calls")).ShouldBeFalse();
    }

    [Fact]
    public async Task A_folder_that_is_no_root_is_refused_at_once()
    {
        var faults = (await Should.ThrowAsync<FaultException>(() => new LocalInstances(Options([])).RunAsync(Config("true") with { RootDirectory = _folder.Path }, cancellationToken: Token))).Faults;
        faults.ShouldHaveSingleItem().Code.ShouldBe("krun.rootfs-incomplete");
        faults[0].IsUsage.ShouldBeTrue();
        Directory.EnumerateFileSystemEntries(_folder.Path).ShouldBeEmpty();
    }

    private string Root => _folder.File("root");

    private string Calls() => File.Exists(_folder.File("calls")) ? File.ReadAllText(_folder.File("calls")) : "";

    private async Task MakeRootAsync()
    {
        Directory.CreateDirectory(Root + "/sbin");
        await File.WriteAllTextAsync(Root + "/sbin/openshell-init", "", Token);
    }

    private async Task<IRunningInstance> StartAsync(string script, params (string Name, string Value)[] environment)
    {
        await MakeRootAsync();
        return await new LocalInstances(Options(environment)).RunAsync(Config(script), cancellationToken: Token);
    }

    private InstanceConfig Config(string script) => KrunMachine.Program with
    {
        RootDirectory = Root,
        Network = "none",
        Exec = new ExecRequest { Program = "/bin/sh", Arguments = ["-c", script] },
    };

    private InstancesOptions Options((string Name, string Value)[] environment) => new() { Directories = _folder.Directories, Host = Host(environment) };

    private HostFacts Host((string Name, string Value)[] environment)
    {
        var variables = environment.ToDictionary(variable => variable.Name, variable => variable.Value);
        variables["RECORDER_LOG"] = _folder.File("calls");
        foreach (var (name, value) in VmmEnvironment.Current([], isMac: false))
            variables[name] = value;

        return KrunMachine.Host(recorder.Library(19), recorder.Firmware()) with
        {
            Qemu = null,
            Gvproxy = null,
            VmmProgram = new VmmProgram([Recorder.Gateway, "__vmm"], variables),
        };
    }

    /// <summary>The guest's agent behind a listening socket, as in a machine with a vsock device.</summary>
    private sealed class ListeningGuest : IAsyncDisposable
    {
        private readonly ChildReaper _reaper = new(ReaperScope.TrackedOnly);
        private readonly AgentServer _server;
        private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

        internal ListeningGuest(string path)
        {
            _socket.Bind(new UnixDomainSocketEndPoint(path));
            _socket.Listen();
            _server = new AgentServer(AgentPort.From(async token => new NetworkStream(await _socket.AcceptAsync(token), ownsSocket: true)), _reaper, (_, _) => Task.CompletedTask);
            Config = Task.Run(async () =>
            {
                var config = await _server.ConnectAsync();
                await _server.ReportAsync(new StageReport { Stage = "init", State = StageState.Completed, UptimeNanoseconds = 0 });
                return config;
            });
        }

        internal Task<GuestConfig> Config { get; }

        public async ValueTask DisposeAsync()
        {
            await _server.DisposeAsync();
            _socket.Dispose();
            _reaper.Dispose();
        }
    }
}
