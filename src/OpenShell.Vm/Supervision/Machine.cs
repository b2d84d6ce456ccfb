using System.Net.Sockets;
using System.Text.Json.Nodes;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Hypervisors;
using OpenShell.Vm.Hypervisors.Krun;
using OpenShell.Vm.Hypervisors.Qemu;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Interop;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Vm.Supervision;

/// <summary>One power-on: the hypervisor's process and the connections to it. A machine that hung is thrown away, and another one made.</summary>
internal sealed class Machine : IAsyncDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private readonly BootPlan _plan;
    private readonly Task<QmpClient?> _qmp;
    private readonly TaskCompletionSource _kept = NewSource();
    private TaskCompletionSource _networkConnected = NewSource();

    /// <summary>Starts it.</summary>
    /// <exception cref="FaultException">The hypervisor cannot be started.</exception>
    internal Machine(LaunchSpec spec, BootPlan plan)
    {
        var control = plan.ControlSocket is { } path ? QmpClient.Listen(path) : null;
        try
        {
            Vmm = ChildProcess.Start(spec);
        }
        catch
        {
            control?.Dispose();
            throw;
        }

        _plan = plan;
        if (plan.Resume is null)
            Keep();
        _ = Vmm.Exited.ContinueWith(_ => _gone.Cancel(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _qmp = control is not null ? ConnectQmpAsync(control) : Task.FromResult<QmpClient?>(null);
        GuestShutdown = plan.ControlSocket is null ? WatchExitAsync() : WatchShutdownAsync();
    }

    /// <summary>The hypervisor.</summary>
    internal ChildProcess Vmm { get; }

    /// <summary>Whether the hypervisor can be asked to end.</summary>
    internal bool CanQuit => _plan.ControlSocket is not null;

    /// <summary>Why it could not start the machine, by its own word.</summary>
    internal Fault? OwnFault => _plan.Krun is { } krun ? VmmFault.Read(krun.FaultFile) : null;

    /// <summary>Cancelled when the hypervisor has ended.</summary>
    internal CancellationToken Gone => _gone.Token;

    /// <summary>Completes once the run stands or falls with it. Of one that is to go on from memory that is when it is ready: until then another may take its place, and its end is no news.</summary>
    internal Task Kept => _kept.Task;

    /// <inheritdoc cref="Kept"/>
    internal void Keep() => _kept.TrySetResult();

    /// <summary>Set before the machine is ended on purpose: its end is no news then.</summary>
    internal bool Leaving { get; set; }

    /// <summary>Completes with QEMU's reason when the machine has shut down (<c>guest-shutdown</c>, <c>guest-reset</c>, <c>guest-panic</c>, <c>host-signal</c>), <see langword="null"/> when QEMU went without saying one.</summary>
    internal Task<string?> GuestShutdown { get; }

    /// <summary>Whether QEMU holds the machine.</summary>
    internal bool IsPaused { get; private set; }

    /// <summary>Whether it does because the host's disk had no room for what the guest wrote.</summary>
    internal bool WaitsForSpace { get; private set; }

    /// <summary>Told when that happens.</summary>
    internal Action? OutOfSpace { get; set; }

    /// <summary>Whether the guest's interface connects again to another gvproxy.</summary>
    internal bool ReconnectsNetwork { get; init; }

    /// <summary>Completes when QEMU has connected the guest's interface, after it was cut off.</summary>
    internal Task NetworkConnected => Volatile.Read(ref _networkConnected).Task;

    /// <summary>Completes when the hypervisor runs the guest: QEMU answers on its control socket; libkrun, which has none, makes the console's file as it builds the machine.</summary>
    internal async Task RunningAsync(CancellationToken cancellationToken)
    {
        if (_plan.ControlSocket is null)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, Gone);
            await UnixSocket.WaitForFileAsync(_plan.ConsoleLog, either.Token).ConfigureAwait(false);
            return;
        }

        if (await _qmp.WaitAsync(cancellationToken).ConfigureAwait(false) is { } qmp)
            _ = await qmp.StatusAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks QEMU to end.</summary>
    internal async Task QuitAsync(CancellationToken cancellationToken)
    {
        var qmp = await QmpAsync(cancellationToken).ConfigureAwait(false);
        await qmp.QuitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Presses the machine's power button: a guest that listens to it ends in order.</summary>
    internal async Task PowerDownAsync(CancellationToken cancellationToken) => await ExecuteAsync("system_powerdown", cancellationToken).ConfigureAwait(false);

    /// <summary>Lets a machine go on that QEMU holds.</summary>
    internal async Task ContinueAsync(CancellationToken cancellationToken)
    {
        WaitsForSpace = false;
        await ExecuteAsync("cont", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Holds a machine that runs.</summary>
    internal async Task PauseAsync(CancellationToken cancellationToken) => await ExecuteAsync("stop", cancellationToken).ConfigureAwait(false);

    /// <summary>Saves a machine that is held: where it can be, what of its memory is its own (<see cref="SavedMachine.Pages"/>), otherwise all of it.</summary>
    /// <param name="to">Where it goes; its pages too, if it names a place for them.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How it was saved.</returns>
    /// <exception cref="FaultException">It could not be.</exception>
    internal async Task<SavedMachine> SaveAsync(SavedMachine to, CancellationToken cancellationToken)
    {
        var qmp = await QmpAsync(cancellationToken).ConfigureAwait(false);
        using var memory = to.Pages is null || _plan.Memory is { Sharing: MemorySharing.Shared } ? null : await MemoryAsync(qmp, cancellationToken).ConfigureAwait(false);
        if (memory is null)
        {
            if (_plan.Resume is { Pages: not null })
                throw new FaultException(SnapshotSupport.Unsupported("To save a machine again that went on from its pages", "QEMU's memory cannot be read any more"));
            await QemuMigration.SaveAsync(qmp, to, cancellationToken).ConfigureAwait(false);
            return to with { Pages = null };
        }

        // QEMU would let others read it, as others' memory is.
        foreach (var path in new[] { to.Path, to.Pages! })
            new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = AtomicFile.OwnerOnly }).Dispose();

        // Devices first: what is still on its way to the memory when they give up their disks is there after that.
        await QemuMigration.SaveDevicesAsync(qmp, to.Path, cancellationToken).ConfigureAwait(false);
        await memory.SaveAsync(to.Pages!, hasBase: _plan.Memory is { Sharing: MemorySharing.Private }, cancellationToken).ConfigureAwait(false);
        return to with { HoldsMemory = false };
    }

    private Task<QemuMemory?> MemoryAsync(QmpClient qmp, CancellationToken cancellationToken) => QemuMemory.TryOpenAsync(qmp, Vmm.Identity.Pid, (long)_plan.MemoryMib << 20, cancellationToken);

    /// <summary>Loads the saved machine of the plan; it is held until it is told to go on.</summary>
    /// <exception cref="FaultException">QEMU refused it, or has ended.</exception>
    internal async Task LoadAsync(CancellationToken cancellationToken)
    {
        var (qmp, from) = (await QmpAsync(cancellationToken).ConfigureAwait(false), _plan.Resume!);
        if (from.Pages is { } pages)
            await LoadPagesAsync(qmp, pages, cancellationToken).ConfigureAwait(false);
        await QemuMigration.LoadAsync(qmp, from, cancellationToken).ConfigureAwait(false);
    }

    private async Task LoadPagesAsync(QmpClient qmp, string pages, CancellationToken cancellationToken)
    {
        using var memory = await MemoryAsync(qmp, cancellationToken).ConfigureAwait(false) ?? throw new FaultException(QemuMigration.NotLoaded(pages, "QEMU's memory cannot be written."));
        try
        {
            await memory.LoadAsync(pages, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new FaultException(QemuMigration.NotLoaded(pages, e.Message), e);
        }
    }

    /// <summary>Kills the hypervisor if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        Leaving = true;

        // Who waits to know whether it stays learns that it does not.
        Keep();
        await Vmm.DisposeAsync().ConfigureAwait(false);
        if (await _qmp.ConfigureAwait(false) is { } qmp)
            await qmp.DisposeAsync().ConfigureAwait(false);
        _ = await GuestShutdown.ConfigureAwait(false);
        _gone.Dispose();
    }

    private Task ExecuteAsync(string command, CancellationToken cancellationToken) => ExecuteAsync(command, null, cancellationToken);

    /// <summary>Has QEMU execute a command.</summary>
    internal async Task ExecuteAsync(string command, JsonObject? arguments, CancellationToken cancellationToken) =>
        await (await QmpAsync(cancellationToken).ConfigureAwait(false)).ExecuteAsync(command, arguments, cancellationToken).ConfigureAwait(false);

    private async Task<QmpClient> QmpAsync(CancellationToken cancellationToken) =>
        await _qmp.WaitAsync(cancellationToken).ConfigureAwait(false) ?? throw new IOException("QEMU never answered on its control socket.");

    private async Task<QmpClient?> ConnectQmpAsync(Socket control)
    {
        try
        {
            return await QmpClient.AcceptAsync(control, Gone).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            return null;
        }
    }

    /// <summary>libkrun tells no more than its exit code: 0 when the guest has reset itself, which is its only end (see <c>KernelCommandLine</c>), in order or by a panic.</summary>
    private async Task<string?> WatchExitAsync() =>
        (await Vmm.Exited.ConfigureAwait(false)).Code == 0 ? "guest-reset" : null;

    private async Task<string?> WatchShutdownAsync()
    {
        if (await _qmp.ConfigureAwait(false) is not { } qmp)
            return null;
        await foreach (var happened in qmp.Events.ReadAllAsync().ConfigureAwait(false))
        {
            if (happened.Name == "SHUTDOWN")
                return happened.Data?["reason"]?.GetValue<string>() ?? "unknown";
            Take(happened);
        }

        return null;
    }

    /// <summary>What else QEMU tells (https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html) and somebody here wants to know.</summary>
    private void Take(QmpEvent happened)
    {
        switch (happened.Name)
        {
            case "STOP":
                IsPaused = true;
                break;
            case "RESUME":
                IsPaused = false;
                break;
            case "NETDEV_STREAM_CONNECTED":
                Volatile.Read(ref _networkConnected).TrySetResult();
                break;
            case "NETDEV_STREAM_DISCONNECTED":
                Interlocked.Exchange(ref _networkConnected, NewSource());
                break;

            case "BLOCK_IO_ERROR" when IsOutOfSpace(happened.Data):
                WaitsForSpace = true;
                OutOfSpace?.Invoke();
                break;
        }
    }

    /// <summary>QEMU's rule for writable disks (werror=enospc): room is waited for, any other error is the guest's.</summary>
    private static bool IsOutOfSpace(JsonObject? error) => error is not null && (bool?)error["nospace"] == true && (string?)error["action"] == "stop";

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
