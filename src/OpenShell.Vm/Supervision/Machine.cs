using OpenShell.Vm.Hypervisors.Qemu;

namespace OpenShell.Vm.Supervision;

/// <summary>One power-on: the hypervisor's process and the connections to it. A machine that hung is thrown away, and another one made.</summary>
internal sealed class Machine : IAsyncDisposable
{
    private readonly CancellationTokenSource _gone = new();
    private readonly Task<QmpClient?> _qmp;

    internal Machine(ChildProcess vmm, string controlSocket)
    {
        Vmm = vmm;
        _ = vmm.Exited.ContinueWith(_ => _gone.Cancel(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _qmp = ConnectQmpAsync(controlSocket);
        GuestShutdown = WatchShutdownAsync();
    }

    /// <summary>The hypervisor.</summary>
    internal ChildProcess Vmm { get; }

    /// <summary>Cancelled when the hypervisor has ended.</summary>
    internal CancellationToken Gone => _gone.Token;

    /// <summary>Set before the machine is ended on purpose: its end is no news then.</summary>
    internal bool Leaving { get; set; }

    /// <summary>Completes with QEMU's reason when the machine has shut down (<c>guest-shutdown</c>, <c>guest-reset</c>, <c>guest-panic</c>, <c>host-signal</c>), <see langword="null"/> when QEMU went without saying one.</summary>
    internal Task<string?> GuestShutdown { get; }

    /// <summary>Completes when QEMU answers on its control socket, and so runs the guest.</summary>
    internal async Task RunningAsync(CancellationToken cancellationToken)
    {
        if (await _qmp.WaitAsync(cancellationToken).ConfigureAwait(false) is { } qmp)
            _ = await qmp.StatusAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks QEMU to end.</summary>
    internal async Task QuitAsync(CancellationToken cancellationToken)
    {
        var qmp = await _qmp.WaitAsync(cancellationToken).ConfigureAwait(false) ?? throw new IOException("QEMU never answered on its control socket.");
        await qmp.QuitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Kills the hypervisor if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        Leaving = true;
        await Vmm.DisposeAsync().ConfigureAwait(false);
        if (await _qmp.ConfigureAwait(false) is { } qmp)
            await qmp.DisposeAsync().ConfigureAwait(false);
        _ = await GuestShutdown.ConfigureAwait(false);
        _gone.Dispose();
    }

    private async Task<QmpClient?> ConnectQmpAsync(string socket)
    {
        try
        {
            return await QmpClient.ConnectAsync(socket, Gone).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or System.Net.Sockets.SocketException)
        {
            return null;
        }
    }

    private async Task<string?> WatchShutdownAsync()
    {
        if (await _qmp.ConfigureAwait(false) is not { } qmp)
            return null;
        await foreach (var happened in qmp.Events.ReadAllAsync().ConfigureAwait(false))
        {
            if (happened.Name == "SHUTDOWN")
                return happened.Data?["reason"]?.GetValue<string>() ?? "unknown";
        }

        return null;
    }
}
