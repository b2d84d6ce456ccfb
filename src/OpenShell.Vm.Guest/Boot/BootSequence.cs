using OpenShell.Vm.Guest.Agent;
using OpenShell.Vm.Guest.ApiFront;
using OpenShell.Vm.Guest.Cluster;
using OpenShell.Vm.Guest.Deliveries;
using OpenShell.Vm.Guest.Mounts;
using OpenShell.Vm.Guest.Native;
using OpenShell.Vm.Guest.Networking;
using OpenShell.Vm.Guest.Power;
using OpenShell.Vm.Guest.Processes;
using OpenShell.Vm.Guest.Services;
using OpenShell.Vm.Guest.Watching;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Boot;

/// <summary>
/// Stage 2, from the root image to a guest that is ready. <see cref="BootAsync"/> is the table of contents; each step is one line here and one method
/// or file elsewhere.
/// </summary>
internal sealed class BootSequence : IAsyncDisposable
{
    private static readonly TimeSpan PortPatience = TimeSpan.FromSeconds(10);

    /// <summary>Frozen groups are let go in a moment; what hangs in the kernel is not waited for.</summary>
    private static readonly TimeSpan LetGoLimit = TimeSpan.FromSeconds(2);

    private readonly PowerSwitch _power = new();
    private readonly PhaseTimes _times = new();
    private readonly AgentChannel _channel = new();

    // libkrun 1.12 to 1.15 keeps its own init as PID 1, which then inherits the orphans.
    private readonly ChildReaper _reaper = new(Environment.ProcessId == 1 ? ReaperScope.AllChildren : ReaperScope.TrackedOnly);
    private readonly AgentServer _agent;
    private readonly ServiceHold _hold;
    private readonly StageReporter _reporter;
    private ServiceManager? _services;
    private ClusterBoot? _cluster;

    private BootSequence()
    {
        _hold = new ServiceHold(held => Cgroups.FreezeServicesAsync(held, [ApiFrontService.Name]), TimeProvider.System);
        var resume = new ResumeService(() => _cluster, () => _services, new ResumedMachine(), new InstanceFiles(CredentialPlaces.Guest), _hold);
        var snapshot = new SnapshotService(resume, MemoryReclaim.Guest, _hold);
        _agent = new AgentServer(_channel.Port, _reaper, (request, _) => _power.RequestAsync(request.Action), new AgentServerOptions
        {
            Calls = new Dictionary<string, Func<ReadOnlyMemory<byte>, CancellationToken, Task<byte[]>>>
            {
                [ServiceNames.HostChanged] = new HostChangeService(() => _services).AnswerAsync,
                [ServiceNames.DiskUsage] = DiskUsageService.AnswerAsync,
                [ServiceNames.CertificatesRenew] = new CertificateService(() => _cluster).AnswerAsync,
                [ServiceNames.Resume] = resume.AnswerAsync,
                [ServiceNames.SnapshotPrepare] = snapshot.AnswerAsync,
                [ServiceNames.SnapshotOver] = snapshot.LetGoAsync,
            },
        });
        _reporter = new StageReporter(_agent);
    }

    /// <summary>Runs the guest until it powers off.</summary>
    public static void Run()
    {
        var sequence = new BootSequence();
        sequence.RunAsync().GetAwaiter().GetResult();
    }

    /// <summary>Not reached by PID 1, whose end is the machine's.</summary>
    public async ValueTask DisposeAsync()
    {
        await _agent.DisposeAsync().ConfigureAwait(false);
        _reaper.Dispose();
        _services?.Dispose();
        _hold.Dispose();
    }

    private async Task RunAsync()
    {
        var boot = BootOrReportAsync();
        var action = await _power.Requested.ConfigureAwait(false);
        // A boot that is still under way is overtaken: its services are stopped, and what it waits for does not come any more.
        _ = boot;

        // What stands still hears no signal, and would have to be killed.
        if (!_hold.Over.IsCompleted)
            await _hold.LetGoAsync().WaitAsync(LetGoLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Shutdown.RunAsync(action, _services, _reaper, _reporter).ConfigureAwait(false);
        // The kernel ends the machine while this thread waits.
        await Task.Delay(Timeout.Infinite).ConfigureAwait(false);
    }

    /// <summary>A boot that fails leaves the guest running: the host is told, can look around with exec, and powers it off.</summary>
    private async Task BootOrReportAsync()
    {
        try
        {
            await _reporter.InStageAsync(Stage.Init, BootAsync).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is StageFailedException or OperationCanceledException)
        {
            // Told, or asked for.
        }
    }

    private async Task BootAsync()
    {
        _reporter.Report(Stage.Init, StageState.Started);
        // Where a kernel mounted the root itself, nobody was here before; elsewhere they are there, and stay.
        Mounter.MountAll(MountPlan.Initramfs);
        var connecting = Task.Run(ConnectAsync);
        MountBase();
        SetLimits();
        NetworkSetup.Loopback();
        var config = await connecting.ConfigureAwait(false);
        ClockAndEntropy.SetClock(config.HostTimeUnixNanoseconds);
        ClockAndEntropy.Credit(config.Entropy);
        ConfigureNetwork(config);
        var delivery = await OpenDeliveryAsync(config).ConfigureAwait(false);
        if (config is { Mode: GuestMode.Cluster, Cluster: { } cluster })
        {
            await RunClusterAsync(config, cluster, delivery).ConfigureAwait(false);
        }
        else
        {
            Mounter.MountAll(SharedFolders.Of(config.Mounts));
            Ready();
        }
    }

    private void Ready() => _reporter.Report(Stage.Init, StageState.Completed, _times.ToString());

    private async Task<Delivery> OpenDeliveryAsync(GuestConfig config)
    {
        if (!config.Delivery)
            return Delivery.Without(config.Proxy);
        using var _ = _times.Measure("delivery");
        var delivery = await Delivery.OpenAsync(config.Proxy, CancellationToken.None).ConfigureAwait(false);
        TrustStore.Add(delivery);
        return delivery;
    }

    private async Task RunClusterAsync(GuestConfig config, ClusterConfig cluster, Delivery delivery)
    {
        var boot = new ClusterBoot(config, cluster, _reporter, new ProcessLauncher(_reaper), _times, delivery, () => _hold.Over);
        (_cluster, _services) = (boot, boot.Services);
        await boot.RunAsync(KernelReady, CancellationToken.None).ConfigureAwait(false);

        void KernelReady()
        {
            // Its modules are loaded by now.
            PowerButton.Watch(() => _power.RequestAsync(PowerAction.Off));
            Ready();
        }
    }

    private async Task<GuestConfig> ConnectAsync()
    {
        using var _ = _times.Measure("agent");
        _channel.Choose(PortPatience);
        return await _agent.ConnectAsync().ConfigureAwait(false);
    }

    private void MountBase()
    {
        using var phase = _times.Measure("mounts");
        // Shared, so that what is mounted later shows in containers that ask for it (the kubelet's mount propagation); a new mount inherits it.
        _ = Linux.Mount(null, "/", null, Linux.MsShared | Linux.MsRecursive, null);
        Mounter.MountAll(MountPlan.Base);
        foreach (var (link, target) in MountPlan.DeviceLinks)
        {
            // libkrun's init, where the root is a folder of the host, has made some of them.
            if (new FileInfo(link).LinkTarget is null)
                File.CreateSymbolicLink(link, target);
        }
    }

    private static void SetLimits()
    {
        // systemd's defaults for services: many descriptors if asked for; select(2) programs keep their 1024.
        _ = Linux.SetResourceLimit(Linux.ResourceOpenFiles, new Linux.ResourceLimit { Soft = 1024 * 1024, Hard = 1024 * 1024 });
        _ = Linux.SetCreationMask(0x12);
        Sysctls.Apply(Sysctls.Always);
    }

    private void ConfigureNetwork(GuestConfig config)
    {
        if (config.Network is not { } network)
        {
            NameFiles.SetHostname(config.Hostname, null);
            _reporter.Report(Stage.Network, StageState.Skipped, "no network is configured");
            return;
        }

        _reporter.Report(Stage.Network, StageState.Started);
        using var _ = _times.Measure("network");
        NameFiles.SetHostname(config.Hostname, network.Address.Split('/')[0]);
        NetworkSetup.Static(network);
        if (config.Mode == GuestMode.Exec)
            NetworkSetup.RejectAddresses(network.Closed);
        _reporter.Report(Stage.Network, StageState.Completed, $"{network.Address} via {network.Gateway}");
    }
}
