using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Disks;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Images;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Pki;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Runtime;
using OpenShell.Vm.Snapshots;
using OpenShell.Vm.Supervision.Watching;
using OpenShell.Vm.Timeline;

namespace OpenShell.Vm.Supervision;

/// <summary>A start that goes on from a saved machine: loaded, told who it is and what time it is, and asked whether it is well.</summary>
internal sealed partial class Supervisor
{
    /// <summary>From the load to the guest's answer: a tenth of a second, and some on a machine that swaps or has eight of them at once. What takes longer does not come.</summary>
    private static readonly TimeSpan ResumeLimit = TimeSpan.FromSeconds(60);

    /// <summary>
    /// From then to its gateway's: tenths of a second. A pod that was just being started again when it was saved is started once the guest lets its services go by itself, a minute later.
    /// </summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromMinutes(2);

    /// <summary>Stages that a machine that goes on has behind it.</summary>
    private static readonly string[] Behind = [BootStages.Kernel, BootStages.Init, BootStages.Services, BootStages.Node, BootStages.Workload, BootStages.Gateway];

    private readonly ResumesUnderWay _resumes;

    // This one's entry among them, until its gateway has answered.
    private IDisposable? _underWay;

    // Cancelled when the guest's services are to stand still as they do.
    private readonly CancellationTokenSource _held;
    private Task _servicesGoOn = Task.CompletedTask;

    /// <summary>Goes on from what there is, until it is ready.</summary>
    /// <returns>Whether it is; not, where there is nothing to go on from, or what there is does not answer: then the start is to boot.</returns>
    private async Task<bool> TryResumeAsync(BootPlan plan, HostFacts host, ImageSet? images, IReadOnlyList<RuntimePart> parts)
    {
        if (!IsCluster || images is null || parts.FirstOrDefault(part => part.Name == HypervisorNames.Qemu)?.Sha256 is not { } hypervisorSha256)
            return false;
        var delivery = _asked = DeliveryFiles.AreNamed(_config) ? await DeliveryDisk.DigestAsync(_config, _running.Token).ConfigureAwait(false) : null;
        if (delivery is null && new Snapshot(_files).ReadFitting() is { Delivery: not null })
            plan = BootPlanner.WithDelivery(plan, _files);
        var finder = new SnapshotFinder(_options, _files, _config, host);
        var choice = finder.Find(plan, images, hypervisorSha256, delivery);
        foreach (var note in finder.Notes)
            _log.Say(note);
        if (choice is null)
        {
            if (_config.Start == StartKinds.Resume)
                throw new FaultException(new Fault { Code = "snapshot.none", Stage = BootStages.Resume, What = $"There is nothing to go on from: {string.Join("; ", finder.Notes.DefaultIfEmpty("the instance was stopped, and boots from its disk"))}.", Remedy = "Leave --start out, which boots then, or bake one with 'gateway image bake'." });
            if (finder.Notes.Count == 0)
                return false;
            var why = string.Join("; ", finder.Notes);
            _timeline.Skipped(BootStages.Resume, why);
            if (finder.RefusedOwn)
                _events.Report(EventNames.ResumeFailed, $"it boots, and what was in its memory alone is lost: {why}");
            return false;
        }

        try
        {
            var resumed = await ResumeAsync(choice, plan, host).ConfigureAwait(false);
            await BecomeReadyAgainAsync(resumed).ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (!_running.IsCancellationRequested)
        {
            var why = await WhyAsync(choice, e).ConfigureAwait(false);
            if (_config.Start == StartKinds.Resume)
                throw why;
            await GiveUpOnResumeAsync(choice, why).ConfigureAwait(false);
            return false;
        }
    }

    /// <summary>What was thrown, as a person is told it: a QEMU that has ended is the reason for whatever else failed.</summary>
    private async Task<Exception> WhyAsync(ResumeChoice choice, Exception thrown)
    {
        if (thrown is not FaultException && _machine is { } machine)
        {
            // Its connections close a moment before it is gone.
            if (thrown is IOException)
                await ((Task)machine.Vmm.Exited).WaitAsync(Settle).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (machine.Vmm.Exited.IsCompleted)
                return new FaultException(VmmEnded(machine.Vmm, await machine.Vmm.Exited.ConfigureAwait(false)), thrown);
        }

        return thrown is OperationCanceledException ? new FaultException(NoAnswer(choice), thrown) : thrown;
    }

    private Fault NoAnswer(ResumeChoice choice) => new()
    {
        Code = "snapshot.no-answer",
        Stage = BootStages.Resume,
        What = $"The machine that goes on from {choice.Title} did not answer: {(_timeline.Stages.Any(stage => stage is { Stage: BootStages.Resume, State: StageState.Completed })
            ? string.Create(CultureInfo.InvariantCulture, $"its gateway was silent for {AnswerLimit.TotalSeconds:0} s")
            : string.Create(CultureInfo.InvariantCulture, $"nothing came within {ResumeLimit.TotalSeconds:0} s"))}.",
        Remedy = "Leave --start resume out: it then boots from its disk. 'gateway logs --source supervisor' shows the answers.",
        Log = Kept(_files.ConsoleLog),
    };

    private async Task<Resumed> ResumeAsync(ResumeChoice choice, BootPlan plan, HostFacts host)
    {
        _timeline.Started(BootStages.Resume, choice.Title);

        // Keys are made while QEMU loads: on two processors that costs nothing.
        var credentials = choice.Becomes is { } origin ? Task.Run(() => InstanceCredentials.Make(NamesOf(origin), _options.Time.GetUtcNow())) : null;
        if (choice.Golden is { } golden)
        {
            _ = Task.Run(() => PageCache.EnsureAsync([golden.Memory], _running.Token), _running.Token);
            await MakeDiskOverAsync(golden, choice.Becomes!).ConfigureAwait(false);
        }

        _delivery = choice.Delivery;
        choice = OverBase(choice);
        _plan = plan = WithSaved(plan, choice);
        var spec = HypervisorCatalog.Find(plan.Hypervisor)!.Describe(plan, host);
        AtomicFile.WriteJson(_files.Plan, plan, InstanceJson.Default.BootPlan, durable: false);

        var machine = PowerOn(spec, plan, host);
        using var alive = CancellationTokenSource.CreateLinkedTokenSource(_running.Token, machine.Gone);
        using var loading = CancellationTokenSource.CreateLinkedTokenSource(alive.Token);
        loading.CancelAfter(ResumeLimit);
        await machine.LoadAsync(loading.Token).ConfigureAwait(false);
        _timeline.Completed(BootStages.Vmm);

        // As many at a time as there are processors to translate their code: more take it from each other, and all are later.
        _underWay = await _resumes.EnterAsync(_accelerator == Accelerator.Tcg ? Environment.ProcessorCount : null, alive.Token).ConfigureAwait(false);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(alive.Token);
        limit.CancelAfter(ResumeLimit);

        // From here on the disk is this machine's: the memory that was saved with it is used up, whatever comes.
        DiskGeneration.Advance(_files, durable: choice.Golden is null);
        await machine.ContinueAsync(limit.Token).ConfigureAwait(false);
        if (choice.Golden is not null && _accelerator == Accelerator.Tcg)
            _ = GreetGatewayAsync(choice.Golden);
        var reports = new ActionProgress<StageReport>(OnReport);
        var agent = await GuestAgent.ConnectAsync(plan.AgentSocket, null, reports, limit.Token).ConfigureAwait(false);
        Attach(agent);
        foreach (var stage in Behind)
        {
            _timeline.Skipped(stage, "it runs");
            StageSource(stage).TrySetResult();
        }

        var made = credentials is null ? null : await credentials.ConfigureAwait(false);
        await TellResumedAsync(agent, choice, made, limit.Token).ConfigureAwait(false);

        // What `resume` took to come is made up for; to within milliseconds it is set once nobody waits.
        await SetterOf(agent).SetOnceAsync(limit.Token).ConfigureAwait(false);
        _timeline.Completed(BootStages.Resume, choice.Title);
        _ = WatchAgentAsync(machine, agent);
        if (choice.Golden is null)
            new Snapshot(_files).Remove();
        return new Resumed(agent, made);
    }

    /// <summary>
    /// Asks the gateway by the golden machine's credentials, while that is still who it is, and for nothing: an emulated processor translates code when it is first run, and keeps it. By the time of the first call that counts the
    /// gateway's part is translated, on a processor that had nothing else to do.
    /// </summary>
    private async Task GreetGatewayAsync(GoldenFiles golden)
    {
        if (golden.ReadClient() is not { } credentials)
            return;
        using var trusted = credentials.OpenAuthority();
        using var client = credentials.OpenClient();
        await AskAsync(new Uri(GatewayEndpoint), trusted, client).ConfigureAwait(false);
    }

    /// <summary>The guest's clock, its randomness and, where it is another's memory, its identity.</summary>
    private async Task TellResumedAsync(GuestAgent agent, ResumeChoice choice, InstanceCredentials? credentials, CancellationToken cancellationToken)
    {
        var request = new ResumeRequest
        {
            HostTimeUnixNanoseconds = _options.Time.GetUtcNow().ToUnixTimeNanoseconds(),
            Entropy = RandomNumberGenerator.GetBytes(ResumeRequest.EntropyLength),
            Identity = choice.Becomes?.Identity,
            GatewayName = choice.Becomes is null ? null : GatewayRegistration.NameFor(_config.Name),
            MachineId = choice.Becomes is null ? null : Guid.NewGuid().ToString("N"),
            Credentials = credentials?.Pairs.ToDictionary(pair => pair.Key, pair => new CertificatePair(pair.Value.CertificatePem, pair.Value.KeyPem)),
        };
        var bytes = await agent.CallAsync(ServiceNames.Resume, JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Default.ResumeRequest), cancellationToken).ConfigureAwait(false);
        var reply = GuestReply.Read(bytes, ProtocolJson.Default.ResumeReply, ServiceNames.Resume);
        var slept = TimeSpan.FromMicroseconds((request.HostTimeUnixNanoseconds - reply.GuestTimeUnixNanoseconds) / 1000.0);
        _log.Say(string.Create(CultureInfo.InvariantCulture, $"goes on from {choice.Title}; its clock was {slept.TotalSeconds:0.0} s behind"));
        foreach (var problem in GuestReply.Texts(reply.Problems))
            _log.Say($"guest: {problem}");
        _events.Report(EventNames.Resumed, $"{_config.Name} goes on from {choice.Title}");
    }

    /// <summary>The guest's clock stood still.</summary>
    private GuestClockSetter SetterOf(GuestAgent agent) => new(_options.Time.GetUtcNow, _options.Time, (change, token) => TellGuestAsync(agent, change, token));

    private async Task MakeDiskOverAsync(GoldenFiles golden, InstanceOrigin origin)
    {
        InstanceStore.WriteOrigin(_files.Origin, origin);

        // A second name for it beside the instance's own disk: the cache may be emptied.
        var below = _files.BaseDisk("golden", DiskFormat.Qcow2);
        File.Delete(below);
        var backing = Libc.Link(golden.Disk, below) == 0 ? Path.GetFileName(below) : golden.Disk;
        Qcow2Overlay.Create(_files.StateDisk, backing, backingIsRaw: false, DiskImage.VirtualSize(golden.Disk));
        if (File.Exists(golden.Delivery))
        {
            File.Delete(_files.DeliveryStamp);
            File.Delete(_files.DeliveryDisk);
            await Snapshot.GiveAlongAsync(golden.Delivery, _files.DeliveryDisk, _running.Token).ConfigureAwait(false);
        }

        _origin = origin;
        _timeline.Completed(BootStages.Disk, "over the golden image's");
    }

    /// <summary>A golden image's memory by a name of the instance's own, for as long as its machine is one that began as a copy of it: what is suspended of it then lies over that.</summary>
    private ResumeChoice OverBase(ResumeChoice choice)
    {
        _base = choice.Base;
        if (choice.Golden is not { } golden)
            return choice;
        File.Delete(_files.MemoryBase);
        return Libc.Link(golden.Memory, _files.MemoryBase) == 0 ? choice with { Memory = new GuestMemory(MemorySharing.Private, _files.MemoryBase) } : choice;
    }

    private static BootPlan WithSaved(BootPlan plan, ResumeChoice choice) => plan with
    {
        Memory = choice.Memory,
        Resume = choice.From,
    };

    /// <summary>Nothing is lost by a machine that did not go on: a new instance has nothing yet, and a suspended one has its disk.</summary>
    private async Task GiveUpOnResumeAsync(ResumeChoice choice, Exception why)
    {
        var what = $"{choice.Title} could not be gone on from, and it boots: {FaultOf(why).What}";
        _events.Report(EventNames.ResumeFailed, what);
        _timeline.Skipped(BootStages.Resume, what);
        HaveAnswered();
        _broker?.Detach();
        if (_machine is { } machine)
        {
            machine.Leaving = true;

            // Its pods may have written to a disk that is kept: in order, as long as somebody in there answers.
            if (choice.Golden is null && _guest is not null)
                await ShutdownLadder.DescendAsync(machine.Vmm, MachineLadder.Rungs(machine, new Ending.Lost(FaultOf(why), why, GuestIsWell: true), keeps: true, PowerOffByAgentAsync, _options.Shutdown), _log.Say, TellRung, _hurry.Token).ConfigureAwait(false);
            await machine.DisposeAsync().ConfigureAwait(false);
        }

        _machine = null;
        if (Interlocked.Exchange(ref _guest, null) is { } guest)
            await guest.DisposeAsync().ConfigureAwait(false);

        // Once it says no more: none of them is behind the machine that boots.
        _stages.Clear();
        _timeline.Forget([.. Behind, BootStages.Bootstrap, BootStages.Ready]);
        if (choice.Golden is not null)
        {
            File.Delete(_files.StateDisk);
            File.Delete(_files.BaseDisk("golden", DiskFormat.Qcow2));
            File.Delete(_files.MemoryBase);
            File.Delete(_files.Origin);
            _origin = null;
        }

        await StartGvproxyAgainAsync().ConfigureAwait(false);
    }

    private ClusterNames NamesOf(InstanceOrigin origin) => new()
    {
        NodeName = origin.NodeName,
        NodeAddress = GuestNetworkPlan.GuestAddress,
        GatewayName = GatewayRegistration.NameFor(_config.Name),
    };

    private async Task BecomeReadyAgainAsync(Resumed resumed)
    {
        var machine = _machine!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_running.Token, machine.Gone);
        limit.CancelAfter(AnswerLimit);
        _timeline.Started(BootStages.Bootstrap);
        var certificates = resumed.Credentials is { } own ? WriteCredentials(own) : await WriteCredentialsAsync(resumed.Agent).WaitAsync(limit.Token).ConfigureAwait(false);
        _timeline.Completed(BootStages.Bootstrap, _status.Now.Kubeconfig);
        await WaitForGatewayAsync(certificates, limit.Token).ConfigureAwait(false);

        // From here on the run stands or falls with it.
        _agent.TrySetResult(resumed.Agent);
        machine.Keep();
        BeReady();
        HaveAnswered();
        _servicesGoOn = LetServicesGoOnAsync(machine, resumed.Agent);
    }

    private void HaveAnswered() => Interlocked.Exchange(ref _underWay, null)?.Dispose();

    /// <summary>
    /// The guest's services stood still until now. They take all the processors there are, which others that go on at this moment need for their first answer: these first, unless somebody is at this one's API server already. What
    /// watches the guest asks it for things too, and begins then.
    /// </summary>
    private async Task LetServicesGoOnAsync(Machine machine, GuestAgent agent)
    {
        try
        {
            await SettleClockAsync(agent, _held.Token).ConfigureAwait(false);
            await _resumes.OverAsync(() => ForwardedConnections.Any(_ports.ApiServer is { } port ? [port] : []), _held.Token).ConfigureAwait(false);
            await TellSnapshotIsOverAsync(agent).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // It is saved again, as it is, or ends.
        }

        WatchHost();
        WatchGuest(machine, agent);
    }

    /// <summary>To within milliseconds of the host's. What keeps it from that is no reason to keep services back: the clock is looked at again and again while the machine runs.</summary>
    private async Task SettleClockAsync(GuestAgent agent, CancellationToken cancellationToken)
    {
        try
        {
            await SetterOf(agent).SettleAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is FaultException or OperationCanceledException)
        {
            _log.Say($"the guest's clock is not set exactly yet: {e.Message}");
        }
    }

    /// <summary>What clients read on the host, of credentials that were made here.</summary>
    private GatewayCertificates WriteCredentials(InstanceCredentials own)
    {
        var apiServer = $"https://127.0.0.1:{_ports.ApiServer!.HostPort}";
        return WriteForClients(
            new GatewayCertificates(Pem(own.GatewayAuthority), Pem(own.GatewayClient.CertificatePem), Pem(own.GatewayClient.KeyPem)),
            own.Kubeconfig(Kubeconfig.NameFor(_config.Name), apiServer));

        static byte[] Pem(string text) => System.Text.Encoding.ASCII.GetBytes(text);
    }

    /// <summary>A machine that goes on.</summary>
    /// <param name="Agent">Its agent.</param>
    /// <param name="Credentials">Its own credentials, where they were made anew.</param>
    private sealed record Resumed(GuestAgent Agent, InstanceCredentials? Credentials);
}
