using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Running;

/// <summary>Stops an instance in order when the user asks for it, and at once when the user insists.</summary>
internal sealed class StopOnInterrupt : IDisposable
{
    private readonly IRunningInstance _instance;
    private readonly CancellationTokenRegistration _orderly;
    private readonly CancellationTokenRegistration _now;
    private Task _stopping = Task.CompletedTask;

    public StopOnInterrupt(IRunningInstance instance, Interrupts interrupts, Action say)
    {
        _instance = instance;
        _orderly = interrupts.Orderly.Register(() =>
        {
            _stopping = Task.Run(() => _instance.StopAsync());
            say();
        });
        _now = interrupts.Now.Register(() => _stopping = Task.Run(() => _instance.StopAsync(force: true)));
    }

    /// <summary>Waits until nothing of the instance is left.</summary>
    public async Task WaitAsync()
    {
        await _stopping;
        try
        {
            await _instance.Completion;
        }
        catch (Exception e) when (e is OperationCanceledException or Vm.Faults.FaultException)
        {
            // It was not to become ready any more; how it failed to does not matter.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _orderly.Dispose();
        _now.Dispose();
    }
}
