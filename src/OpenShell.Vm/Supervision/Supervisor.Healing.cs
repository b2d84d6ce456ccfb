using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Supervision.Watching;

namespace OpenShell.Vm.Supervision;

/// <summary>What is watched while the machine runs, and put right without ending it (docs/healing.md).</summary>
internal sealed partial class Supervisor
{
    /// <summary>A port that is taken by then, or a program that is gone, does not come back by being tried for ever.</summary>
    private const int MaxGvproxyStarts = 5;

    /// <summary>QEMU tries every 200 ms, or every second.</summary>
    private static readonly TimeSpan ReconnectLimit = TimeSpan.FromSeconds(15);

    /// <summary>One question to gvproxy, or to the guest through it.</summary>
    private static readonly TimeSpan ProbeLimit = TimeSpan.FromSeconds(10);

    /// <summary>The API server is started again meanwhile, which takes a minute under emulation.</summary>
    private static readonly TimeSpan RenewalLimit = TimeSpan.FromMinutes(15);

    /// <summary>What must be free on the host before a machine that had no room goes on: the smallest level that is warned of.</summary>
    private static readonly long RoomToGoOn = (long)DiskWatch.HostLevels[^1];

    // Its connections are nobody's use.
    private readonly ForwardProbes _probes = new();

    /// <summary>A gvproxy to which the guest is not connected in time is replaced once more; then another machine is to be tried.</summary>
    private const int MaxUnconnected = 2;

    private int _gvproxyFailures, _unconnected;
    private long _gvproxySince = Stopwatch.GetTimestamp();

    /// <summary>From power-on: what needs no guest.</summary>
    private void WatchHost()
    {
        if (_config.Network == NetworkNames.Gvproxy)
            Watch([new ForwardWatch(new LiveForwards(this), ReportWatched)]);
    }

    /// <summary>From hello.</summary>
    private void WatchGuest(Machine machine, GuestAgent agent)
    {
        var limits = _options.Silence is { } silence ? HeartbeatLimits.Of(silence) : HeartbeatLimits.For(_accelerator == Accelerator.Tcg);
        var processor = new ProcessorTime(machine.Vmm.Identity);
        IWatch[] watches =
        [
            new HeartbeatWatch(agent.PingAsync, () => processor.Used, () => machine.IsPaused, limits, what => OnHang(machine, what), _options.Time),
            new ClockWatch(_options.HostClocks ?? HostClocks.Read, (change, token) => TellGuestAsync(agent, change, token), ReportWatched, compares: IsCluster),
        ];
        IWatch[] ofCluster =
        [
            new NetworkWatch(HostNetwork.Read, (change, token) => TellGuestAsync(agent, change, token), ReportWatched),
            new CertificateWatch(_options.Certificates, (renewal, token) => RenewAsync(agent, renewal, token), ReportWatched),
            new DiskWatch(token => MeasureDisksAsync(machine, agent, token), disks => _status.Change(status => status with { Disks = disks }), ReportWatched),
        ];
        Watch(IsCluster ? [.. watches, .. ofCluster] : watches);
        if (_config.IdleSuspend is { } limit && _whyUnsaved is null)
            _ = WatchRunner.RunAsync([new IdleWatch(limit, () => !_ready.Task.IsCompletedSuccessfully || IsUsed(), FallAsleepAsync, _options.Time)], _options.Time, _log.Say, _running.Token);
    }

    private void Watch(IEnumerable<IWatch> watches) => _watches.Add(WatchRunner.RunAsync(watches, _options.Time, _log.Say, _running.Token));

    private readonly ConcurrentBag<Task> _watches = [];

    /// <summary>What one of them is about to write is written before the instance is anybody else's. All that they wait for has ended with the run.</summary>
    private async Task EndWatchesAsync() => await Task.WhenAll(_watches).WaitAsync(Settle * 5).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private void ReportWatched(string name, string message, string? subject = null) => _events.Report(name, message, subject);

    /// <summary>Something ended gvproxy: another takes its place, with the same forwards, and QEMU connects the guest to it.</summary>
    private async Task HealGvproxyAsync(Machine machine)
    {
        bool started;
        try
        {
            // Nobody changes forwards meanwhile.
            await _forwarding.WaitAsync(_running.Token).ConfigureAwait(false);
            try
            {
                started = await RestartGvproxyAsync(machine).ConfigureAwait(false);
            }
            finally
            {
                _forwarding.Release();
            }

            if (!started)
                return;
            var gvproxy = _gvproxy!;
            _ = WatchGvproxyAsync(machine, gvproxy);
            await ((Task)Task.WhenAny(machine.NetworkConnected, gvproxy.Exited, machine.Vmm.Exited)).WaitAsync(ReconnectLimit, _running.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            TellReplaced(machine, gvproxy);
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
        catch (Exception e)
        {
            End(new Ending.Lost(FaultOf(e), e, GuestIsWell: true));
        }
    }

    /// <summary>Another gvproxy runs; whether the guest is connected to it decides what follows.</summary>
    private void TellReplaced(Machine machine, ChildProcess gvproxy)
    {
        // Whoever watches those sees to it.
        if (machine.Leaving || _running.IsCancellationRequested || machine.Vmm.Exited.IsCompleted || gvproxy.Exited.IsCompleted)
            return;
        var connected = machine.NetworkConnected.IsCompletedSuccessfully;
        _unconnected = connected ? 0 : _unconnected + 1;
        ReportWatched(EventNames.GvproxyRestarted, $"gvproxy was started again, pid {gvproxy.Identity.Pid}; the guest {(connected ? "is connected again" : "has not connected")}");
        if (connected)
            return;
        if (_unconnected < MaxUnconnected)
        {
            // It is replaced as one that ended by itself.
            gvproxy.Signal(Signals.Kill);
            return;
        }

        End(new Ending.Lost(
            new Fault
            {
                Code = "network.guest-unconnected",
                What = string.Create(CultureInfo.InvariantCulture, $"gvproxy was replaced {_unconnected} times, and the guest's interface has not connected to it within {ReconnectLimit.TotalSeconds:0} s."),
                Remedy = "Start the instance again. 'gateway edit --restart on-failure' has it started again by itself.",
                Log = Kept(_files.VmmLog),
            },
            GuestIsWell: true));
    }

    private async Task<bool> RestartGvproxyAsync(Machine machine)
    {
        for (var attempt = 1; ; attempt++)
        {
            _gvproxyFailures = Backoff.Gvproxy.Count(_gvproxyFailures, Stopwatch.GetElapsedTime(_gvproxySince));
            await Task.WhenAny(Task.Delay(Backoff.Gvproxy.PauseAfter(_gvproxyFailures), _running.Token), machine.Vmm.Exited).ConfigureAwait(false);
            _running.Token.ThrowIfCancellationRequested();

            // Ended or given up meanwhile: the next power-on has one of its own.
            if (machine.Leaving || machine.Vmm.Exited.IsCompleted)
                return false;
            _gvproxySince = Stopwatch.GetTimestamp();
            try
            {
                await StartGvproxyAsync(tolerant: true).ConfigureAwait(false);
                return true;
            }
            catch (FaultException e)
            {
                _log.Say($"gvproxy, start {attempt} of {MaxGvproxyStarts}: {e.Faults[0].What}");
                if (_gvproxy is { } half)
                    await half.DisposeAsync().ConfigureAwait(false);
                if (machine.Leaving)
                    return false;
                if (attempt == MaxGvproxyStarts)
                {
                    End(new Ending.Lost(e.Faults[0], e, GuestIsWell: true));
                    return false;
                }
            }
        }
    }

    private void OnHang(Machine machine, string what)
    {
        if (machine.Leaving)
            return;
        _events.Report(EventNames.MachineHung, $"the guest hangs: {what}", fault: "guest.hung");
        End(new Ending.Lost(new Fault
        {
            Code = "guest.hung",
            Stage = _ready.Task.IsCompleted ? null : _timeline.CurrentStage,
            What = $"The guest hangs: {what}.{LogTail.LastWords(_files.ConsoleLog)}",
            Remedy = "Its console may say why. 'gateway edit --restart on-failure' has it started again by itself.",
            Log = Kept(_files.ConsoleLog),
        }));
    }

    private void OnOutOfSpace()
    {
        var what = $"the host's file system of {_files.Root} is full: QEMU holds the machine until there is room";
        ReportWatched(EventNames.DiskNearlyFull, what, DiskSpace.Host);
    }

    private static async Task<HostChangeReply?> TellGuestAsync(GuestAgent agent, HostChange change, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ProbeLimit);
        var reply = await agent.CallAsync(ServiceNames.HostChanged, JsonSerializer.SerializeToUtf8Bytes(change, ProtocolJson.Default.HostChange), limit.Token).ConfigureAwait(false);
        var told = GuestReply.Read(reply, ProtocolJson.Default.HostChangeReply, ServiceNames.HostChanged);
        return told with { Told = GuestReply.Texts(told.Told) };
    }

    /// <summary>Has certificates renewed, and takes the host's copies of them anew; <see langword="null"/> before the cluster is ready.</summary>
    private async Task<CertificateRenewalReply?> RenewAsync(GuestAgent agent, CertificateRenewal renewal, CancellationToken cancellationToken)
    {
        if (!_ready.Task.IsCompletedSuccessfully)
            return null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(RenewalLimit);
        var bytes = await agent.CallAsync(ServiceNames.CertificatesRenew, JsonSerializer.SerializeToUtf8Bytes(renewal, ProtocolJson.Default.CertificateRenewal), limit.Token).ConfigureAwait(false);
        var reply = GuestReply.Read(bytes, ProtocolJson.Default.CertificateRenewalReply, ServiceNames.CertificatesRenew);
        reply = new CertificateRenewalReply(GuestReply.Texts(reply.Renewed), GuestReply.Texts(reply.Replaced));
        if (reply is { Renewed.Count: > 0 } or { Replaced.Count: > 0 })
            await WriteCredentialsAsync(agent).ConfigureAwait(false);
        return reply;
    }

    private async Task<IReadOnlyList<DiskSpace>> MeasureDisksAsync(Machine machine, GuestAgent agent, CancellationToken cancellationToken)
    {
        // What a full disk kept from being written is written once there is room.
        _status.WriteAgain();
        var host = DiskWatch.OfHost(_files.Root);
        if (machine.WaitsForSpace)
        {
            // It cannot answer.
            if (host.FreeBytes < RoomToGoOn)
                return [host];
            await machine.ContinueAsync(cancellationToken).ConfigureAwait(false);
            ReportWatched(EventNames.DiskRoomAgain, "the host's file system has room again: the machine goes on", DiskSpace.Host);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ProbeLimit);
        try
        {
            var reply = GuestReply.Read(await agent.CallAsync(ServiceNames.DiskUsage, default, limit.Token).ConfigureAwait(false), ProtocolJson.Default.DiskUsageReply, ServiceNames.DiskUsage);
            return [host, .. GuestReply.Some(reply.Disks).Select(disk => new DiskSpace(DiskSpace.Guest, GuestReply.Text(disk.Path), disk.TotalBytes, disk.FreeBytes))];
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is OperationCanceledException or FaultException)
        {
            // The heartbeat is about that; the host's disk can be told all the same.
            return [host];
        }
    }

    /// <summary>The forwards of this run, as <see cref="ForwardWatch"/> wants to know them.</summary>
    private sealed class LiveForwards(Supervisor supervisor) : IForwards
    {
        // While gvproxy is being replaced, or a forward changed, nothing can be said about any.
        private bool IsChanging => supervisor._forwarding.CurrentCount == 0 || !supervisor._networkUp.Task.IsCompleted || supervisor._gvproxy is not { Exited.IsCompleted: false };

        public IReadOnlyList<PortForward> Wanted => IsChanging ? [] : supervisor._ports.All;

        public async Task<IReadOnlyList<PortForward>> InForceAsync(CancellationToken cancellationToken)
        {
            if (IsChanging)
                return [];
            using var client = new GvproxyClient(supervisor._files.NetworkControlSocket);
            return await client.ListAsync(cancellationToken).ConfigureAwait(false);
        }

        public bool IsListening(PortForward forward) =>
            forward.HostSocket is { } path ? File.Exists(path) && File.Exists(supervisor._files.ForwardSocket(path)) : !PortCheck.IsFree(forward.Protocol, forward.HostAddress, forward.HostPort);

        /// <summary>The gateway and the API server speak TLS: whatever they answer to a hello, even a refusal, the guest has said.</summary>
        public async Task<bool?> AnswersAsync(PortForward forward, CancellationToken cancellationToken)
        {
            if (supervisor.PurposeOf(forward) is null || !supervisor._ready.Task.IsCompletedSuccessfully)
                return null;
            return await supervisor._probes.AnswersAsync(forward, ProbeLimit, cancellationToken).ConfigureAwait(false);
        }

        public async Task RemakeAsync(PortForward forward, CancellationToken cancellationToken)
        {
            await supervisor._forwarding.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                // Removed meanwhile, by its user.
                if (!supervisor._ports.All.Contains(forward))
                    return;
                using var client = new GvproxyClient(supervisor._files.NetworkControlSocket);
                try
                {
                    await client.UnexposeAsync(forward, cancellationToken).ConfigureAwait(false);
                }
                catch (FaultException)
                {
                    // It did not know it: all the better.
                }

                await client.ExposeAsync(forward, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                supervisor._forwarding.Release();
            }
        }

        public void GiveUpOnGvproxy(string why)
        {
            supervisor._log.Say($"gvproxy is ended: {why}");
            supervisor._gvproxy?.Signal(Signals.Kill);
        }
    }
}
