using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Readiness;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Supervision;

/// <summary>What the guest reports, and what a cluster's start waits for after hello.</summary>
internal sealed partial class Supervisor
{
    private static readonly TimeSpan GatePause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan HealthPause = TimeSpan.FromMilliseconds(200);

    /// <summary>A health call under emulation takes a few hundred milliseconds; the first one, to a process that is still starting, more.</summary>
    private static readonly TimeSpan HealthLimit = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, TaskCompletionSource> _stages = new();

    /// <summary>Takes a report of the guest. What goes wrong with that here (a full disk) ends the start: whoever brings the next report does not know of it.</summary>
    private void OnReport(StageReport report)
    {
        try
        {
            Take(report);
        }
        catch (Exception e) when (_ready.Task.IsCompletedSuccessfully)
        {
            _log.Say($"a report of the guest ({report.Stage}) could not be taken: {e.Message}");
        }
        catch (Exception e)
        {
            End(new Ending.Lost(FaultOf(e), e, GuestIsWell: true));
        }
    }

    private void Take(StageReport report)
    {
        if (report.Stage.StartsWith(ShutdownStage, StringComparison.Ordinal))
        {
            ReportShutdown(report);
            return;
        }

        // The guest's network and disk are its own; the host's stages of those names are about gvproxy and the image.
        var stage = report.Stage is BootStages.Network or BootStages.Disk or DiskRepairStage ? $"{BootStages.Init}/{report.Stage}" : report.Stage;
        _timeline.Relay(report with { Stage = stage });
        if (report.State is StageState.Failed ? !IsOfService(report) : report.Fault is not null)
            _log.Say($"guest: {stage} {report.State}: {report.Fault?.What ?? report.Detail}");

        ReportService(report);
        if (report is { Stage: DiskRepairStage, State: StageState.Completed })
            ReportWatched(EventNames.DiskRepaired, report.Detail ?? "the file system on the guest's disk was repaired", DiskSpace.Guest);

        if (report.State is StageState.Completed or StageState.Skipped)
            StageSource(stage).TrySetResult();

        // A part that fails (a service that ended) is tried again in the guest; a whole stage is not.
        else if (report is { State: StageState.Failed, Fault: { } fault } && BootStages.All.Contains(report.Stage) && !_ready.Task.IsCompleted)
            End(new Ending.Lost(new Fault { Code = fault.Code, Stage = stage, What = fault.What, Remedy = fault.Remedy, Log = Kept(_files.ConsoleLog) }));
    }

    private const string ShutdownStage = "shutdown/", DiskRepairStage = BootStages.Disk + "/repair";

    /// <summary>A step of the guest's own end: in the log, and an event where it had to be taken the hard way.</summary>
    private void ReportShutdown(StageReport report)
    {
        if (report.State == StageState.Started)
            return;
        var what = $"guest: {report.Stage}: {report.Detail}";
        if (report.State == StageState.Failed)
            _events.Report(EventNames.ShutdownStep, what, report.Stage);
        else
            _log.Say(what);
    }

    // Services that ended and are not healthy again yet. Reports come one after the other.
    private readonly HashSet<string> _exitedServices = [];

    private static bool IsOfService(StageReport report) => report.Stage.StartsWith(BootStages.Services + "/", StringComparison.Ordinal);

    /// <summary>A service that ends is started again in the guest: both are told.</summary>
    private void ReportService(StageReport report)
    {
        if (!IsOfService(report))
            return;
        var service = report.Stage[(BootStages.Services.Length + 1)..];
        if (report.State == StageState.Failed)
        {
            _exitedServices.Add(service);
            var times = report.Ended is { Restarts: > 0 } ended ? string.Create(CultureInfo.InvariantCulture, $" (restart {ended.Restarts})") : "";
            _events.Report(EventNames.ServiceExited, $"{service} {report.Detail ?? report.Fault?.What}{times}", service, report.Fault?.Code, report.Ended?.ExitCode, report.Ended?.Restarts);
        }
        else if (report.State == StageState.Completed && _exitedServices.Remove(service))
        {
            _events.Report(EventNames.ServiceRestarted, $"{service} is healthy again", service);
        }
    }

    /// <summary>Completes when the guest has reported the end of a stage.</summary>
    private Task StageAsync(string stage) => StageSource(stage).Task.WaitAsync(_running.Token);

    private TaskCompletionSource StageSource(string stage) => _stages.GetOrAdd(stage, static _ => new(TaskCreationOptions.RunContinuationsAsynchronously));

    private async Task BecomeReadyAsync(GuestAgent agent)
    {
        _ = WatchGatesAsync();

        // The files are there since early in the boot; fetched only now, so as not to compete with it.
        await StageAsync(BootStages.Workload).ConfigureAwait(false);
        var certificates = await BootstrapAsync(agent).ConfigureAwait(false);
        await WaitForGatewayAsync(certificates, _running.Token).ConfigureAwait(false);
        BeReady();
    }

    /// <summary>The gateway has answered.</summary>
    private void BeReady()
    {
        new GatewayRegistration(_options.Directories, _config.Name).Activate();
        var status = _status.Change(now => now with { Phase = InstancePhase.Ready, ReadyAt = _options.Time.GetUtcNow() });
        _events.Report(EventNames.Ready, string.Create(CultureInfo.InvariantCulture, $"{_config.Name} is ready after {_timeline.Elapsed.TotalSeconds:0.0} s"));
        _status.MayBeUnwritten = _timeline.MayBeUnwritten = true;
        _ready.TrySetResult(status);
    }

    private async Task<GatewayCertificates> BootstrapAsync(GuestAgent agent)
    {
        _timeline.Started(BootStages.Bootstrap);
        var certificates = await WriteCredentialsAsync(agent).ConfigureAwait(false);
        _timeline.Completed(BootStages.Bootstrap, _status.Now.Kubeconfig);
        return certificates;
    }

    /// <summary>Writes the user's kubeconfig and the gateway's client certificate on the host, as the guest has them now.</summary>
    private async Task<GatewayCertificates> WriteCredentialsAsync(GuestAgent agent)
    {
        var certificates = new GatewayCertificates(
            await ReadAsync(agent, GuestPaths.BootstrapGatewayCa).ConfigureAwait(false),
            await ReadAsync(agent, GuestPaths.BootstrapGatewayCertificate).ConfigureAwait(false),
            await ReadAsync(agent, GuestPaths.BootstrapGatewayKey).ConfigureAwait(false));
        certificates.Check();
        var guestKubeconfig = Encoding.UTF8.GetString(await ReadAsync(agent, GuestPaths.BootstrapKubeconfig).ConfigureAwait(false));

        return WriteForClients(certificates, Kubeconfig.FromGuest(guestKubeconfig, _config.Name, _ports.ApiServer!.HostPort));
    }

    private GatewayCertificates WriteForClients(GatewayCertificates certificates, string kubeconfig)
    {
        var path = Kubeconfig.PathFor(_options.Directories, _config.Name);
        var was = OwnBefore(path);
        Kubeconfig.Write(path, kubeconfig);
        RefreshMerged(was, kubeconfig);
        new GatewayRegistration(_options.Directories, _config.Name).Write(_ports.Gateway!.HostPort, certificates);
        _status.Change(status => status with
        {
            Kubeconfig = path,
            ApiServer = $"https://127.0.0.1:{_ports.ApiServer!.HostPort}",
            Endpoint = GatewayEndpoint,
        });
        return certificates;
    }

    private string? OwnBefore(string path)
    {
        try
        {
            return Kubeconfig.IsOurs(path, _config.Name) ? File.ReadAllText(path) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It is replaced; what it said is only of use to a context that was merged.
            return null;
        }
    }

    /// <summary>A context that was merged into the user's own kubeconfig holds a copy of certificate, key and port: it follows. That it cannot is no reason to fail.</summary>
    private void RefreshMerged(string? was, string kubeconfig)
    {
        try
        {
            foreach (var file in UserKubeconfig.For(_options.Directories, Environment.GetEnvironmentVariable("KUBECONFIG")).Refresh(_config.Name, was, kubeconfig))
                _log.Say($"the context {Kubeconfig.NameFor(_config.Name)} in {file} is as it is now");
        }
        catch (FaultException e)
        {
            _log.Say($"the context {Kubeconfig.NameFor(_config.Name)} in the user's kubeconfig is not as it is now: {e.Faults[0].What} {e.Faults[0].Remedy}");
        }
    }

    private string GatewayEndpoint => $"https://127.0.0.1:{_ports.Gateway!.HostPort}";

    /// <summary>The guest says when it ends, and might say it never.</summary>
    private async Task<byte[]> ReadAsync(GuestAgent agent, string path)
    {
        using var buffer = new MemoryStream(new byte[MaxCredential]);
        buffer.SetLength(0);
        try
        {
            await agent.ReadFileAsync(path, buffer, _running.Token).ConfigureAwait(false);
        }
        catch (NotSupportedException e)
        {
            // It does not grow.
            throw GuestReply.Invalid($"The guest's {path} has more than {MaxCredential} bytes.", e);
        }

        return buffer.ToArray();
    }

    private const int MaxCredential = 256 << 10;

    private async Task WaitForGatewayAsync(GatewayCertificates pem, CancellationToken cancellationToken)
    {
        _timeline.Started(BootStages.Ready);
        var endpoint = new Uri(_status.Now.Endpoint!);
        using var trusted = pem.OpenAuthority();
        using var client = pem.OpenClient();
        var said = new HashSet<string>();
        while (await AskAsync(endpoint, trusted, client).ConfigureAwait(false) is { } answer)
        {
            if (said.Add(answer))
                _log.Say($"waiting for {endpoint}: {answer}");
            await Task.Delay(HealthPause, cancellationToken).ConfigureAwait(false);
        }

        // Its pod serves; that the kubelet has not said so yet is no reason to wait.
        if (!StageSource(BootStages.Gateway).Task.IsCompleted)
            _timeline.Completed(BootStages.Gateway);
        _timeline.Completed(BootStages.Ready, endpoint.ToString());
    }

    /// <summary>One health call; <see langword="null"/>: it serves.</summary>
    private async Task<string?> AskAsync(Uri endpoint, X509Certificate2 ca, X509Certificate2 client)
    {
        try
        {
            var health = await GrpcHealthClient.CheckAsync(endpoint, ca, client, "", HealthLimit, _running.Token).ConfigureAwait(false);
            return health == HealthStatus.Serving ? null : health.ToString();
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutException or GrpcStatusException)
        {
            return e.InnerException is { } inner ? $"{e.Message} ({inner.Message})" : e.Message;
        }
    }

    /// <summary>Ends the start when a gate's budget is used up.</summary>
    private async Task WatchGatesAsync()
    {
        var emulated = _accelerator == Accelerator.Tcg;
        try
        {
            while (!_ready.Task.IsCompleted)
            {
                if (ReadinessGates.Overdue(_timeline.Stages, _timeline.Elapsed, emulated, _patience) is { } gate)
                    End(new Ending.Lost(GateFault(gate), GuestIsWell: true));
                await Task.Delay(GatePause, _running.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The start is over.
        }
    }

    /// <summary>What a start that stands still waits for in truth, if that is room on the host's disk.</summary>
    private Fault? NoRoom(string? stage) => _machine is not { WaitsForSpace: true } ? null : new Fault
    {
        Code = "host.no-space",
        Stage = stage,
        What = $"{_config.Name} was not ready in time: its machine is held because the file system of {_files.Root} is full.",
        Remedy = "Free some disk space ('gateway image prune' removes what no instance uses), then start it again.",
        Log = Kept(_files.SupervisorLog),
    };

    private Fault GateFault(ReadinessGate gate)
    {
        if (NoRoom(gate.Stage) is { } full)
            return full;
        var part = _timeline.Stages.LastOrDefault(s => s.Stage.StartsWith(gate.Stage + "/", StringComparison.Ordinal) && s.State is StageState.Started or StageState.Failed);
        return new Fault
        {
            Code = $"{gate.Stage}.not-ready",
            Stage = gate.Stage,
            What = $"{_config.Name} waited too long for {gate.WaitsFor}." + (part is null ? "" : $" Now: {part.Stage}{(part.Detail is null ? "" : $", {part.Detail}")}."),
            Remedy = gate.Hint + " A longer --timeout lengthens this wait too.",
            Log = Kept(_files.ConsoleLog),
        };
    }
}
