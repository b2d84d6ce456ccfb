using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Images.Host;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Supervision;

/// <summary>gvproxy and the forwarded ports.</summary>
internal sealed partial class Supervisor
{
    /// <summary>gvproxy listens some 30 ms after its start here.</summary>
    private static readonly TimeSpan GvproxyLimit = TimeSpan.FromSeconds(15);

    /// <summary>A free port that is taken within a moment is rare; several in a row have another cause.</summary>
    private const int MaxPortChoices = 5;

    // Listens on the ports until gvproxy does, where this run wakes an instance.
    private readonly Doorbell? _waking;
    private ChildProcess? _gvproxy;
    private PortPlan _ports = new(null, null, []);

    private async Task StartNetworkAsync(HostFacts host)
    {
        if (_config.Network == NetworkNames.None)
        {
            _timeline.Skipped(BootStages.Network, "no network was asked for");
            return;
        }

        _timeline.Started(BootStages.Network);
        _ports = PortPlanner.Choose(_config, _lastPorts, forward => _waking?.Holds(forward) == true);
        if (_config.Network == NetworkNames.Tsi)
        {
            // libkrun itself listens, once a program in the guest does.
            _status.Change(status => status with { Ports = _ports.All });
            _timeline.Completed(BootStages.Network, Forwards());
            return;
        }

        var program = host.Gvproxy ?? await RuntimeTools.EnsureGvproxyAsync(
            _options.Directories,
            new ActionProgress<Images.BuildProgress>(step => _timeline.Progress(BootStages.Network, step.Share, step.Title)),
            _running.Token).ConfigureAwait(false);
        _gvproxySpec = GvproxyCommandLine.Describe(program, _files, datagrams: _config.Hypervisor == HypervisorNames.Libkrun && host.OperatingSystem == "macos");
        await StartGvproxyAsync().ConfigureAwait(false);
        _networkUp.TrySetResult();
        _timeline.Completed(BootStages.Network, Forwards());
    }

    private string? Forwards() => _ports.All.Count == 0 ? null : string.Join(", ", _ports.All.Select(p => p.Text()));

    private LaunchSpec? _gvproxySpec;

    /// <summary>Starts gvproxy and makes the forwards; also again for each further power-on, since gvproxy ends with the machine that it served.</summary>
    /// <param name="tolerant">A forward that cannot be made (somebody else has its port by now) is told, and left to <see cref="Watching.ForwardWatch"/>, which tries on.</param>
    private async Task StartGvproxyAsync(bool tolerant = false)
    {
        if (_gvproxySpec is not { } spec)
            return;

        // Whoever cleans temporary folders may have removed it.
        PrivateFolder.Ensure(_files.Run);
        PrivateFolder.Ensure(_files.NetworkFolder);
        File.Delete(_files.NetworkSocket);
        File.Delete(_files.NetworkControlSocket);
        var gvproxy = ChildProcess.Start(spec);
        _gvproxy = gvproxy;
        _status.SetProcess(Roles.Gvproxy, gvproxy.Identity);
        _log.Say($"gvproxy started, pid {gvproxy.Identity.Pid}{(gvproxy.IsConfined ? "" : ", with all files of its user: this system has no Landlock")}");

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_running.Token);
        limit.CancelAfter(GvproxyLimit);
        var forwarding = ForwardAsync(tolerant, limit.Token);
        if (await Task.WhenAny(forwarding, gvproxy.Exited).ConfigureAwait(false) != forwarding)
            throw new FaultException(GvproxyEnded(await gvproxy.Exited.ConfigureAwait(false)));
        try
        {
            await forwarding.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!_running.IsCancellationRequested)
        {
            throw new FaultException(new Fault
            {
                Code = "network.gvproxy-silent",
                Stage = BootStages.Network,
                What = $"gvproxy does not listen on {_files.NetworkSocket}.{_gvproxy?.LastWords}",
                Remedy = "See its log, and try again.",
                Log = Kept(_files.GvproxyLog),
            });
        }
    }

    /// <summary>For a further power-on: one for it alone, also where the machine before had just got another.</summary>
    private async Task StartGvproxyAgainAsync()
    {
        await _forwarding.WaitAsync(_running.Token).ConfigureAwait(false);
        try
        {
            if (_gvproxy is { } before)
                await before.DisposeAsync().ConfigureAwait(false);
            await StartGvproxyAsync().ConfigureAwait(false);
        }
        finally
        {
            _forwarding.Release();
        }
    }

    private async Task ForwardAsync(bool tolerant, CancellationToken cancellationToken)
    {
        await UnixSocket.WaitForFileAsync(_files.NetworkSocket, cancellationToken).ConfigureAwait(false);
        if (_ports.All.Count == 0)
            return;
        using var client = new GvproxyClient(_files.NetworkControlSocket);
        foreach (var forward in _ports.All)
        {
            // Not a moment earlier: whoever calls meanwhile waits there.
            if (_waking is not null)
                await _waking.GiveBackAsync(forward).ConfigureAwait(false);
            try
            {
                await ExposeAsync(client, forward, cancellationToken).ConfigureAwait(false);
            }
            catch (FaultException e) when (tolerant)
            {
                _log.Say($"forward {forward.Text()} could not be made again: {e.Faults[0].What}");
            }
        }

        _status.Change(status => status with { Ports = _ports.All });
    }

    /// <summary>Opens a port; where it was chosen here, and somebody took it since, another. Nobody has been told of it before the instance is ready.</summary>
    private async Task ExposeAsync(GvproxyClient client, PortForward forward, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await client.ExposeAsync(forward, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (FaultException e) when (e.Faults[0].Code == PortFaults.BusyCode)
            {
                if (_ready.Task.IsCompleted || tries == MaxPortChoices || PortPlanner.Replace(_ports, _config, forward) is not { } other)
                    throw PurposeOf(forward) is { } purpose ? PortFaults.Busy(forward, purpose) : e;
                var now = other.All[_ports.All.TakeWhile(p => p != forward).Count()];
                _log.Say($"{e.Faults[0].What} {now.Text()} is taken in its place");
                (_ports, forward) = (other, now);
            }
        }
    }

    private Fault GvproxyEnded(ExitReason reason) => new()
    {
        Code = "network.gvproxy-ended",
        Stage = BootStages.Network,
        What = $"gvproxy, the VM's network, {reason}.{_gvproxy?.LastWords}",
        Remedy = "Start the instance again; if it happens again, see its log.",
        Log = Kept(_files.GvproxyLog),
    };

    /// <summary>A log is only named when it will still be there.</summary>
    private string? Kept(string path) => _lock is null ? null : path;
}
