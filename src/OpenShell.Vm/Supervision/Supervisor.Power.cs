using System.Globalization;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Mounts;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Supervision;

/// <summary>From the plan to a guest that has said hello; a guest that hangs in early boot is powered on again.</summary>
internal sealed partial class Supervisor
{
    /// <summary>A hang is rare (a few in a hundred boots at worst); three in a row have another cause.</summary>
    private const int MaxPowerOns = 3;

    private Machine? _machine;

    private async Task<GuestAgent> PowerOnAsync(BootPlan plan, HostFacts host)
    {
        var spec = (HypervisorCatalog.Find(plan.Hypervisor) ?? throw new InvalidOperationException($"no hypervisor {plan.Hypervisor}")).Describe(plan, host);
        if (_lock is not null || plan.Krun is not null)
            AtomicFile.WriteJson(_files.Plan, plan, InstanceJson.Default.BootPlan, durable: false);

        WatchHost();
        TimeSpan given = default;
        for (var attempt = 1; attempt <= MaxPowerOns; attempt++)
        {
            if (attempt > 1)
                await StartGvproxyAgainAsync().ConfigureAwait(false);
            await StartSharesAsync(plan, host).ConfigureAwait(false);
            var machine = PowerOn(spec, plan, host);
            using var hung = CancellationTokenSource.CreateLinkedTokenSource(_running.Token);
            var hello = ConnectAgentAsync(plan, hung.Token);
            var announced = AnnounceAsync(machine);
            var hang = new HangDetector(plan.Accelerator, machine.Vmm.Identity, _options.HelloBudget).WaitAsync(hung.Token);
            var first = await Task.WhenAny(hello, hang).ConfigureAwait(false);
            if (first == hello || _running.IsCancellationRequested)
            {
                var agent = await hello.ConfigureAwait(false);
                await hung.CancelAsync().ConfigureAwait(false);
                await announced.ConfigureAwait(false);
                _timeline.Completed(BootStages.Kernel);
                _ = WatchAgentAsync(machine, agent);
                WatchGuest(machine, agent);
                return agent;
            }

            given = await hang.ConfigureAwait(false);
            await hung.CancelAsync().ConfigureAwait(false);
            await ((Task)hello).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await GiveUpOnAsync(machine, attempt, given).ConfigureAwait(false);
        }

        throw new FaultException(new Fault
        {
            Code = "guest.hang",
            Stage = BootStages.Kernel,
            What = string.Create(CultureInfo.InvariantCulture, $"The guest said no word within {given.TotalSeconds:0} s of power-on, {MaxPowerOns} times in a row.") + LogTail.LastWords(_files.ConsoleLog),
            Remedy = "Look at its console (console.1.log and on, beside the log named here); a host that is very busy may need fewer --vcpus.",
            Log = Kept(_files.ConsoleLog),
        });
    }

    private Machine PowerOn(LaunchSpec spec, BootPlan plan, HostFacts host)
    {
        _timeline.PoweredOn();
        _timeline.Started(BootStages.Vmm);
        // Left by an earlier power-on: sockets that would be in the way, and files whose appearance means something.
        foreach (var file in new[] { plan.AgentSocket, plan.Krun?.FaultFile }.OfType<string>())
            File.Delete(file);
        Logs.LogRotation.Remove(plan.ConsoleLog);
        var machine = new Machine(spec, plan) { ReconnectsNetwork = plan.Krun is null && Hypervisors.Qemu.QemuArguments.Reconnects(host.QemuVersion) };
        machine.OutOfSpace = OnOutOfSpace;
        _machine = machine;
        _status.SetProcess(Roles.Vmm, machine.Vmm.Identity);
        _events.Report(EventNames.MachineStarted, $"{spec.Title} runs, pid {machine.Vmm.Identity.Pid}");
        WatchProcesses(machine);
        return machine;
    }

    private async Task AnnounceAsync(Machine machine)
    {
        await machine.RunningAsync(_running.Token).ConfigureAwait(false);
        _timeline.Completed(BootStages.Vmm);
        _timeline.Started(BootStages.Kernel);
    }

    private async Task GiveUpOnAsync(Machine machine, int attempt, TimeSpan given)
    {
        await machine.DisposeAsync().ConfigureAwait(false);
        if (_gvproxy is { } gvproxy)
            await gvproxy.DisposeAsync().ConfigureAwait(false);
        var kept = _files.ConsoleOfAttempt(attempt);
        if (File.Exists(_files.ConsoleLog))
            File.Move(_files.ConsoleLog, kept, overwrite: true);

        var again = attempt < MaxPowerOns ? string.Create(CultureInfo.InvariantCulture, $"; powering it on again ({attempt + 1} of {MaxPowerOns})") : "";
        var what = string.Create(CultureInfo.InvariantCulture, $"the guest hung: no word from it within {given.TotalSeconds:0} s{again}; its console is in {Path.GetFileName(kept)}");
        _events.Report(EventNames.MachineHung, what);
        _timeline.Started(BootStages.Kernel, what);
    }

    private GuestConfig MakeGuestConfig() => new()
    {
        Mode = _config.Mode,
        Hostname = _origin?.NodeName ?? _config.Name,
        HostTimeUnixNanoseconds = _options.Time.GetUtcNow().ToUnixTimeNanoseconds(),
        Entropy = System.Security.Cryptography.RandomNumberGenerator.GetBytes(64),
        Network = _config.Network == NetworkNames.Gvproxy ? GuestNetworkOf(_config) : null,
        Delivery = DeliveryFiles.AreNamed(_config),
        Proxy = GuestProxyOf(_config),
        Mounts = _shares.Count == 0 ? null : [.. _shares.Select(share => new GuestMount(share.Tag, share.GuestPath, share.Kind == ShareKind.Plan9 ? GuestMount.Plan9 : GuestMount.VirtioFs, share.ReadOnly))],
        Exec = _config.Exec,
        Cluster = IsCluster ? new ClusterConfig
        {
            Distribution = _config.Distribution!,
            GatewayName = Bootstrap.GatewayRegistration.NameFor(_config.Name),
            GatewayNodePort = Networking.GuestNetworkPlan.GatewayPort,
            Identity = _origin?.Identity,
        }
        : null,
    };

    private static GuestNetwork GuestNetworkOf(InstanceConfig config) => new()
    {
        // The lease is static and known. A program's VM does without the question, which costs it a process; a cluster asks, as machines do.
        Dhcp = config.Mode == GuestMode.Cluster,
        Address = Networking.GuestNetworkPlan.GuestAddressWithPrefix,
        Gateway = Networking.GuestNetworkPlan.Gateway,
        DnsServers = [Networking.GuestNetworkPlan.Gateway],
        Closed = config.AllowHostLoopback
            ? [Networking.GuestNetworkPlan.ControlApi]
            : [Networking.GuestNetworkPlan.HostLoopback, Networking.GuestNetworkPlan.ControlApi],
        Open = config is { Mode: GuestMode.Cluster, Proxy: { } proxy } ? HostProxy.ForGuest(proxy).Open : [],
    };

    /// <summary>A program's machine closes whole addresses, so a proxy on the host's loopback is out of its reach.</summary>
    private static GuestProxy? GuestProxyOf(InstanceConfig config) =>
        config is { Network: NetworkNames.Gvproxy, Proxy: { } proxy } && (config.Mode == GuestMode.Cluster || config.AllowHostLoopback || !HostProxy.IsOnLoopback(proxy)) ? HostProxy.ForGuest(proxy).Proxy : null;
}
