using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Vm.Guest.Power;

/// <summary>Where the end is asked for. The first request counts.</summary>
internal sealed class PowerSwitch
{
    private readonly TaskCompletionSource<PowerAction> _requested = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with what is wanted.</summary>
    public Task<PowerAction> Requested => _requested.Task;

    /// <summary>Asks for it; returns at once.</summary>
    public Task RequestAsync(PowerAction action)
    {
        _requested.TrySetResult(action);
        return Task.CompletedTask;
    }
}
