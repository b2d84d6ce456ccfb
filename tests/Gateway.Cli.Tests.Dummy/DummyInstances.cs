using OpenShell.Vm.Disks;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Timeline;

namespace OpenShell.Gateway.Cli.Tests.Dummy;

/// <summary>
/// Instances without machines. Their names say what becomes of them: <c>ready</c>, <c>slow</c> (never ready), <c>failing</c>, <c>lost</c>
/// (ready, then gone).
/// </summary>
internal sealed class DummyInstances(Journal journal) : IInstances
{
    private TaskCompletionSource? _forced;
    private volatile string? _stopped;

    public static Fault Fault { get; } = new()
    {
        Code = "dummy.failed",
        Stage = BootStages.Kernel,
        What = "The guest did not come up.",
        Remedy = "Look at its console.",
        Log = "/somewhere/console.log",
    };

    public static InstanceStatus Ready(string name) => new()
    {
        Name = name,
        Phase = InstancePhase.Ready,
        Endpoint = "https://127.0.0.1:30051",
        ApiServer = "https://127.0.0.1:6443",
        Kubeconfig = "/home/somebody/.kube/gateway.yaml",
        Hypervisor = "qemu",
        Accelerator = "tcg",
        Distribution = "upstream",
        Vcpus = 2,
        MemoryMib = 4096,
        Processes = new Dictionary<string, ProcessIdentity> { ["supervisor"] = new(4711, 123456), ["vmm"] = new(4712, 123457) },
        Ports = [new PortForward { HostPort = 8080, GuestPort = 80 }],
        StartedAt = DateTimeOffset.UnixEpoch,
        ReadyAt = DateTimeOffset.UnixEpoch.AddSeconds(71.25),
        Stages =
        [
            new StageTime(BootStages.HostProbe, TimeSpan.Zero, TimeSpan.FromMilliseconds(120), Vm.Protocol.Messages.StageState.Completed, "QEMU 10.0.2, tcg"),
            new StageTime("services/etcd", TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(5.5), Vm.Protocol.Messages.StageState.Completed, null),
            new StageTime(BootStages.Ready, TimeSpan.FromSeconds(71), TimeSpan.FromSeconds(0.25), Vm.Protocol.Messages.StageState.Completed, null),
        ],
    };

    public Task<IReadOnlyList<InstanceStatus>> ListAsync(CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<InstanceStatus>>(
        [Ready("running"), new InstanceStatus { Name = "torn", Phase = InstancePhase.Broken, Fault = Fault }]);

    public async Task<InstanceStatus?> FindAsync(string name, CancellationToken cancellationToken = default) =>
        name is "asleep" or "suspended" ? new InstanceStatus { Name = name, Phase = InstancePhase.Suspended, Processes = name == "asleep" && name != _stopped ? Ready(name).Processes : new Dictionary<string, ProcessIdentity>() }
        : name == "slow" || name == _stopped ? new InstanceStatus { Name = name, Phase = InstancePhase.Stopped } : (await ListAsync(cancellationToken)).FirstOrDefault(i => i.Name == name);

    public Task<StartPlan> PlanAsync(InstanceConfig config, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<IRunningInstance> RunAsync(InstanceConfig config, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default)
    {
        journal.Write($"run {config.Name}{Said(config)}");
        return Task.FromResult<IRunningInstance>(new DummyInstance(config, progress, journal));
    }

    public async Task<InstanceStatus> StartDetachedAsync(InstanceConfig config, IReadOnlyList<string> supervisor, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default)
    {
        journal.Write($"detach {config.Name} {string.Join(' ', supervisor.Skip(1))}{Said(config)}");
        if (config.Name != "slow")
        {
            _stopped = null;
            return Ready(config.Name);
        }

        // Stopped when it is cancelled; and it takes its time over that unless it is forced.
        _forced = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await StopAsync(config.Name, force: false, CancellationToken.None);
        await _forced.Task;
        throw new OperationCanceledException(cancellationToken);
    }

    /// <summary>What a start asks for, of what an instance may have been told before.</summary>
    public static string Said(InstanceConfig asked) => asked.Repeats ? " as it is stored" : asked.Hypervisor is { } hypervisor ? $" on {hypervisor}" : "";

    public Task StopAsync(string name, bool force = false, CancellationToken cancellationToken = default)
    {
        journal.Write($"stop {name} force={force}");
        _stopped = name;
        if (force)
            _forced?.TrySetResult();
        return Task.CompletedTask;
    }

    public Task DeleteAsync(string name, bool flatten = false, CancellationToken cancellationToken = default)
    {
        journal.Write(flatten ? $"delete {name} flatten" : $"delete {name}");
        return Task.CompletedTask;
    }

    // Only those that are listed have been configured before.
    public Task<InstanceConfig?> ConfigAsync(string name, CancellationToken cancellationToken = default) =>
        Task.FromResult(name is "running" or "slow" ? new InstanceConfig { Name = name, Hypervisor = "qemu", IdleSuspend = TimeSpan.FromMinutes(1) } : null);

    public Task<InstanceConfig> EditAsync(string name, Func<InstanceConfig, InstanceConfig> change, CancellationToken cancellationToken = default)
    {
        var config = change(new InstanceConfig { Name = name, Vcpus = 1, MemoryMib = 2048, GatewayPort = 1, Ports = [new PortForward { HostPort = 1, GuestPort = 1 }], AddedPorts = [new PortForward { HostPort = 2, GuestPort = 2 }] });
        journal.Write($"edit {name} vcpus={config.Vcpus} memory={config.MemoryMib} gateway={config.GatewayPort} ports={string.Join(',', config.Ports.Concat(config.AddedPorts).Select(p => $"{p.HostPort}:{p.GuestPort}"))}");
        return Task.FromResult(config);
    }

    public Task ResetAsync(string name, CancellationToken cancellationToken = default)
    {
        journal.Write($"reset {name}");
        return Task.CompletedTask;
    }

    public Task ResetForAsync(InstanceConfig config, CancellationToken cancellationToken = default)
    {
        journal.Write($"check and reset {config.Name}");
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<InstanceStatus>> CloneAsync(string source, IReadOnlyList<string> destinations, CancellationToken cancellationToken = default)
    {
        journal.Write($"clone {source} {string.Join(' ', destinations)}");
        return Task.FromResult<IReadOnlyList<InstanceStatus>>([.. destinations.Select(name => new InstanceStatus { Name = name, Phase = InstancePhase.Stopped, CloneOf = source })]);
    }

    public Task<DiskUse?> DiskAsync(string name, CancellationToken cancellationToken = default) =>
        name == "torn" ? throw new FaultException(Fault) : Task.FromResult<DiskUse?>(new DiskUse(20L << 30, 1_234_000_000, 2_345_000_000, 0, ["twin"]) { Memory = 800_000_000, MemoryRemains = 50_000_000 });

    public Task<DiskUse> CompactAsync(string name, CancellationToken cancellationToken = default)
    {
        journal.Write($"compact {name}");
        return Task.FromResult(new DiskUse(20L << 30, 1_234_000_000, 1_300_000_000, 0, []));
    }

    public Task<bool> ResizeDiskAsync(string name, int gib, CancellationToken cancellationToken = default)
    {
        journal.Write($"resize {name} {gib}");
        return Task.FromResult(false);
    }

    public Task<PortState> AddPortAsync(string name, PortForward forward, CancellationToken cancellationToken = default)
    {
        journal.Write($"port add {name} {forward.Text()}");
        return Task.FromResult(new PortState(forward, null, InForce: true));
    }

    public Task<PortState> RemovePortAsync(string name, string forward, CancellationToken cancellationToken = default)
    {
        journal.Write($"port remove {name} {forward}");
        return Task.FromResult(new PortState(new PortForward { HostPort = 8080, GuestPort = 80 }, null, InForce: true));
    }

    public Task SuspendAsync(string name, CancellationToken cancellationToken = default)
    {
        journal.Write($"suspend {name}");
        return Task.CompletedTask;
    }

    public Task<InstanceStatus?> WakeAsync(string name, CancellationToken cancellationToken = default)
    {
        journal.Write($"wake {name}");
        return Task.FromResult<InstanceStatus?>(null);
    }

    public Task PauseAsync(string name, CancellationToken cancellationToken = default)
    {
        journal.Write($"pause {name}");
        return Task.CompletedTask;
    }

    public Task UnpauseAsync(string name, CancellationToken cancellationToken = default)
    {
        journal.Write($"unpause {name}");
        return Task.CompletedTask;
    }

    public Task<GoldenImage> BakeAsync(InstanceConfig config, IProgress<TimelineEvent>? progress = null, CancellationToken cancellationToken = default)
    {
        journal.Write($"bake {config.Vcpus} {config.MemoryMib}");
        return Task.FromResult(Golden);
    }

    // One is there: nothing is baked in the background.
    public Task<GoldenImage?> FindGoldenAsync(InstanceConfig config, CancellationToken cancellationToken = default) => Task.FromResult<GoldenImage?>(Golden);

    private static GoldenImage Golden { get; } = new() { Hash = "0123456789abcdef01234567", Folder = "/cache/golden/0123456789abcdef01234567", Bytes = 900_000_000, MemoryBytes = 800_000_000 };

    public Task<IReadOnlyList<PortState>> ListPortsAsync(string name, CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<PortState>>(
    [
        new(new PortForward { HostPort = 30051, GuestPort = 30051 }, "the gateway", InForce: true),
        new(new PortForward { Protocol = PortProtocol.Udp, HostAddress = "::1", HostPort = 5353, GuestPort = 53 }, null, InForce: true),
        new(new PortForward { Protocol = PortProtocol.Unix, HostPort = 0, HostSocket = "/run/me/web.sock", GuestPort = 80 }, null, InForce: false),
    ]);

    public Task<IGuestAgent> ConnectAsync(string name, CancellationToken cancellationToken = default) => Task.FromResult<IGuestAgent>(new LocalAgent(journal));
}
