using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Images.Cache;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Runtime;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Supervision;

/// <summary>The machine's memory is saved, and the machine ends; or it is held for a while.</summary>
internal sealed partial class Supervisor
{
    /// <summary>The guest syncs its disk and gives up its caches; a disk that is slow may have much to write.</summary>
    private static readonly TimeSpan PrepareLimit = TimeSpan.FromSeconds(60);

    /// <summary>Besides the memory: the state of the devices, and what the disk still gets.</summary>
    private const long SpaceForDevices = 32 << 20;

    // Saving, holding and going on exclude each other.
    private readonly SemaphoreSlim _saving = new(1);

    // What this run is, as the memory that is saved of it will have to fit to.
    private MachineIdentity? _machineIdentity;
    private BootPlan? _plan;

    // The memory that its own lies over, as its golden image has it written down; none where the machine was booted.
    private SavedFile? _base;

    private bool HasBase => _base is not null && _plan!.Memory?.Path == _files.MemoryBase;

    // The digest of what this start gives along, and of what its machine was given: one that goes on from memory may have more.
    private string? _asked, _delivery;

    private void RegisterSaving(AgentBroker broker)
    {
        broker.Register(SupervisorCall.SuspendService, (_, token) => AnswerAsync(() => SuspendAsync(token)));
        broker.Register(SupervisorCall.NapService, (_, token) => AnswerAsync(() => SuspendAsync(Sleep.ForClones, token)));
        broker.Register(SupervisorCall.PauseService, (_, token) => AnswerAsync(() => HoldAsync(token)));
        broker.Register(SupervisorCall.UnpauseService, (_, token) => AnswerAsync(() => LetGoAsync(token)));
    }

    /// <summary>A fault is an answer too: as an error of the stream it would lose its remedy.</summary>
    internal static async Task<byte[]> AnswerAsync(Func<Task> action)
    {
        try
        {
            await action().ConfigureAwait(false);
            return [];
        }
        catch (FaultException e)
        {
            return JsonSerializer.SerializeToUtf8Bytes(e.Faults, InstanceJson.Default.IReadOnlyListFault);
        }
        catch (Exception e) when (SystemFaults.Translate(e) is { } fault)
        {
            return JsonSerializer.SerializeToUtf8Bytes([fault], InstanceJson.Default.IReadOnlyListFault);
        }
    }

    /// <summary>What is needed to compare this run's machine with a later one's; remembered at its start.</summary>
    private void Remember(BootPlan plan, HostFacts host, string images, IReadOnlyList<RuntimePart> parts)
    {
        _plan = plan;
        if (plan.Krun is null && parts.FirstOrDefault(part => part.Name == "qemu")?.Sha256 is { } hash)
            _machineIdentity = MachineIdentity.Of(plan, host, hash, images);
        _whyUnsaved = SnapshotSupport.WhyNot(_config, host);
    }

    private string? _whyUnsaved = "it is not ready yet";

    /// <summary>Saves the machine with its memory and ends it. Returns when all is saved; the end follows.</summary>
    /// <exception cref="FaultException">It cannot be; the machine goes on.</exception>
    internal Task SuspendAsync(CancellationToken cancellationToken) => SuspendAsync(Sleep.None, cancellationToken);

    private Task SuspendAsync(Sleep sleep, CancellationToken cancellationToken)
    {
        var snapshot = new Snapshot(_files);
        var aside = snapshot.Aside;
        return SavingAsync(async () =>
        {
            HostFiles.DeleteFolder(aside);
            PrivateFolder.Ensure(aside);
            try
            {
                RequireSpaceForMemory();
                var to = new SavedMachine(Path.Combine(aside, Snapshot.MachineName), HoldsMemory: true);
                await SaveAsync(_plan!.Memory is null or { Path: null } || HasBase ? to with { Pages = Path.Combine(aside, Snapshot.PagesName) } : to, CommitAsync, sleep, cancellationToken).ConfigureAwait(false);
            }
            catch
            {
                HostFiles.DeleteFolder(aside);
                throw;
            }
        });

        // Once QEMU has closed the disk: only then is it what the memory belongs to.
        async Task CommitAsync()
        {
            var hasPages = File.Exists(Path.Combine(aside, Snapshot.PagesName));
            string[] names = hasPages ? [Snapshot.MachineName, Snapshot.PagesName] : [Snapshot.MachineName];
            foreach (var name in names)
                HostFiles.SyncFile(Path.Combine(aside, name));
            snapshot.Remove();
            var record = new SnapshotRecord
            {
                Format = SnapshotRecord.CurrentFormat,
                Machine = _machineIdentity!,
                NamesMemory = _plan!.Memory is not null,
                Disk = DiskState.Of(_files),
                Machinery = await SavedFile.MakeAsync(aside, Snapshot.MachineName, CancellationToken.None).ConfigureAwait(false),
                Pages = hasPages ? await SavedFile.MakeAsync(aside, Snapshot.PagesName, CancellationToken.None).ConfigureAwait(false) : null,
                Base = hasPages && HasBase ? _base!.At(_files.Root, Path.GetFileName(_files.MemoryBase)) : null,
                MadeAt = _options.Time.GetUtcNow(),
                Delivery = _delivery,
                AllowHostLoopback = _config.AllowHostLoopback,
                Proxy = GoldenKey.ProxyDigest(_config),
                Identity = _origin?.Identity,
            };
            Snapshot.Write(aside, record);
            HostFiles.SyncFolder(aside);
            Directory.Move(aside, _files.Snapshot);
            HostFiles.SyncFolder(_files.Root);
        }
    }

    /// <summary>Has a save done, alone. One that succeeds ends the machine: after it there is no other.</summary>
    private async Task SavingAsync(Func<Task> save)
    {
        if (_whyUnsaved is not null || !_ready.Task.IsCompletedSuccessfully || _machineIdentity is null)
            throw new FaultException(SnapshotSupport.Unsupported($"To save '{_config.Name}' with its memory", _whyUnsaved ?? "it is not ready yet"));
        if (!await _saving.WaitAsync(TimeSpan.Zero).ConfigureAwait(false))
            throw IsBeingSaved();
        try
        {
            await save().ConfigureAwait(false);
        }
        catch
        {
            _saving.Release();
            throw;
        }
    }

    private FaultException IsBeingSaved() => new(new Fault
    {
        Code = "snapshot.being-saved",
        What = $"{_config.Name} is being saved with its memory at this moment.",
        Remedy = $"Wait until it is ('gateway status --name {_config.Name}'), then try again.",
    });

    /// <summary>Saves the machine that runs, and ends it; then, with the disk closed, has what was saved put in its place.</summary>
    /// <param name="to">Where it goes.</param>
    /// <param name="commit">Puts it in its place.</param>
    /// <param name="sleep">What follows.</param>
    /// <param name="cancellationToken">Gives up; the machine goes on.</param>
    private async Task SaveAsync(SavedMachine to, Func<Task> commit, Sleep sleep, CancellationToken cancellationToken)
    {
        var (machine, agent) = (_machine!, await _agent.Task.ConfigureAwait(false));
        try
        {
            var took = Stopwatch.StartNew();
            await _held.CancelAsync().ConfigureAwait(false);
            await _servicesGoOn.ConfigureAwait(false);
            var wasHeld = machine.IsPaused;
            if (!wasHeld)
                await PrepareGuestAsync(agent, cancellationToken).ConfigureAwait(false);
            var prepared = took.Elapsed;
            if (sleep == Sleep.UntilCalled && IsUsed())
                throw IsUsedAgain();
            var (wasCalled, ends) = (false, false);
            try
            {
                await machine.PauseAsync(cancellationToken).ConfigureAwait(false);
                to = await machine.SaveAsync(to, cancellationToken).ConfigureAwait(false);

                // gvproxy has let people in all the while, who would be hung up on.
                wasCalled = sleep == Sleep.UntilCalled && IsCalled();
                if (wasCalled)
                    throw IsUsedAgain();
                _log.Say(string.Create(CultureInfo.InvariantCulture, $"saved in {took.Elapsed.TotalSeconds:0.00} s, of which its preparation {prepared.TotalSeconds:0.00}, {new[] { to.Path, to.Pages }.OfType<string>().Sum(HostFiles.AllocatedBytes) >> 20} MiB"));
                ends = !End(new Ending.Saved(commit, sleep));
                if (ends)
                    throw EndsAnyway();
            }
            catch (Exception e)
            {
                foreach (var path in new[] { to.Path, to.Pages }.OfType<string>())
                    File.Delete(path);
                if (!wasHeld)
                    await LetGoOnAsync(machine).ConfigureAwait(false);
                if (!wasCalled && !ends)
                    _events.Report(EventNames.SuspendFailed, $"{_config.Name} could not be saved and runs on: {(e is FaultException { Faults: [var fault, ..] } ? fault.What : e.Message)}");
                throw;
            }
        }
        catch
        {
            // It runs on, and so do its services.
            await TellSnapshotIsOverAsync(agent).ConfigureAwait(false);
            throw;
        }
    }

    private static async Task LetGoOnAsync(Machine machine)
    {
        try
        {
            await machine.ContinueAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException) when (machine.Leaving)
        {
            // Nobody needs it any more.
        }
    }

    private static OperationCanceledException IsUsedAgain() => new("somebody uses it by now, and it goes on");

    /// <summary>Whoever asked for the end first has it: the memory would be that of a machine which goes on to shut down.</summary>
    private FaultException EndsAnyway() => new(new Fault
    {
        Code = "snapshot.ended",
        What = $"{_config.Name} was stopped, or has ended, while it was being saved: its memory is not kept.",
        Remedy = $"What it has written is on its disk; 'gateway up --name {_config.Name}' starts it.",
    });

    /// <summary>Whether somebody uses the instance at this moment, or has come and gone since this was asked last; one that its user holds is used.</summary>
    private bool IsUsed() => IsCalled() || _machine is { IsPaused: true };

    // Those who had come to the broker when this was asked last.
    private long _cameBefore;

    /// <summary>By a forwarded port or socket, or through its broker.</summary>
    private bool IsCalled()
    {
        var came = _broker?.ClientsSoFar ?? 0;
        return Interlocked.Exchange(ref _cameBefore, came) != came || _broker is { HasClients: true } || ForwardedConnections.Any(_ports.All, () => _probes.OpenPorts);
    }

    private async Task FallAsleepAsync(CancellationToken cancellationToken)
    {
        _log.Say(string.Create(CultureInfo.InvariantCulture, $"nobody has used it for {_config.IdleSuspend!.Value.TotalSeconds:0} s: it is suspended"));
        await SuspendAsync(Sleep.UntilCalled, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Holds the machine: it takes no processor time, and keeps its memory.</summary>
    private Task HoldAsync(CancellationToken cancellationToken) => AloneAsync(() => HoldNowAsync(cancellationToken));

    private Task LetGoAsync(CancellationToken cancellationToken) => AloneAsync(() => LetGoNowAsync(cancellationToken));

    private async Task AloneAsync(Func<Task> action)
    {
        if (!await _saving.WaitAsync(TimeSpan.Zero).ConfigureAwait(false))
            throw IsBeingSaved();
        try
        {
            await action().ConfigureAwait(false);
        }
        finally
        {
            _saving.Release();
        }
    }

    private async Task HoldNowAsync(CancellationToken cancellationToken)
    {
        var machine = RequireHoldable();
        if (machine.IsPaused)
            return;
        await machine.PauseAsync(cancellationToken).ConfigureAwait(false);
        _status.Change(status => status with { Phase = InstancePhase.Paused });
        _events.Report(EventNames.Paused, $"{_config.Name} is paused");
    }

    private async Task LetGoNowAsync(CancellationToken cancellationToken)
    {
        var machine = RequireHoldable();
        if (!machine.IsPaused)
            return;
        await machine.ContinueAsync(cancellationToken).ConfigureAwait(false);
        var agent = (GuestAgent)await _agent.Task.ConfigureAwait(false);
        await SetterOf(agent).SettleAsync(cancellationToken).ConfigureAwait(false);
        _status.Change(status => status with { Phase = InstancePhase.Ready });
        _events.Report(EventNames.Unpaused, $"{_config.Name} goes on");
    }

    private Machine RequireHoldable() => _machine is { CanQuit: true } machine && _ready.Task.IsCompletedSuccessfully
        ? machine
        : throw new FaultException(SnapshotSupport.Unsupported($"To pause '{_config.Name}'", _machine is { CanQuit: false } ? "libkrun cannot hold a machine; QEMU can (--hypervisor qemu)" : "it is not ready yet"));

    private async Task PrepareGuestAsync(IGuestAgent agent, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(PrepareLimit);

        // Over a base only what was written to is saved: memory that is made free stays written to, and what is moved together is written to by that.
        var request = JsonSerializer.SerializeToUtf8Bytes(new SnapshotPreparation { Reclaim = !HasBase }, ProtocolJson.Default.SnapshotPreparation);
        var answer = await ((GuestAgent)agent).CallAsync(ServiceNames.SnapshotPrepare, request, limit.Token).ConfigureAwait(false);
        var prepared = GuestReply.Read(answer, ProtocolJson.Default.SnapshotPrepared, ServiceNames.SnapshotPrepare);
        _log.Say(string.Create(CultureInfo.InvariantCulture, $"the guest is prepared to be saved: {prepared.FreeBytes >> 20} of {prepared.TotalBytes >> 20} MiB are free"));
        foreach (var problem in GuestReply.Texts(prepared.Problems))
            _log.Say($"guest: {problem}");
    }

    /// <summary>The guest lets go of what it held still for the snapshot; it does so by itself where it is not told.</summary>
    private async Task TellSnapshotIsOverAsync(IGuestAgent agent)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_running.Token);
        limit.CancelAfter(PrepareLimit);
        try
        {
            await ((GuestAgent)agent).CallAsync(ServiceNames.SnapshotOver, cancellationToken: limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FaultException or OperationCanceledException)
        {
            _log.Say($"the guest was not told that the snapshot is over: {e.Message}");
        }
    }

    /// <summary>What a machine over a base has for itself is what is saved of it. What another one has in use is not known from here; half of its memory never was, with caches given up.</summary>
    private void RequireSpaceForMemory()
    {
        var own = HasBase ? OwnMemory.Of(_machine!.Vmm.Identity.Pid) + SpaceForDevices : null;
        var (free, needed) = (HostFiles.FreeBytes(_files.Root), own ?? (((long)_config.MemoryMib!.Value << 20) / 2));
        if (free < needed)
        {
            throw new FaultException(new Fault
            {
                Code = "snapshot.no-space",
                What = string.Create(CultureInfo.InvariantCulture, $"{_files.Root} has {free >> 20} MiB free; the machine's memory may need {needed >> 20}. It runs on."),
                Remedy = "Free some space ('gateway image prune' may), or stop it instead: 'gateway stop' keeps everything on its disk.",
            });
        }
    }
}
