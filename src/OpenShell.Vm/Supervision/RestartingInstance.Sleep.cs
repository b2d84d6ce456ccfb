using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;

namespace OpenShell.Vm.Supervision;

/// <summary>An instance that was suspended because nobody used it: its ports are listened on, and the first who calls wakes it.</summary>
internal sealed partial class RestartingInstance
{
    /// <summary>Sleeps until somebody calls, starts it, and carries those who called.</summary>
    /// <returns>Whether it was started; not, when somebody had it stopped meanwhile: then it stays suspended.</returns>
    private async Task<bool> SleepAsync(Supervisor ended, RestartRule rule)
    {
        using var events = new EventLog(_files.Events, _config.Name, _options.Time);
        var status = ended.Status;
        var bell = Doorbell.Listen(status.Ports, message => events.Report(EventNames.ForwardLost, message));
        try
        {
            if (await WaitForCallAsync(bell).ConfigureAwait(false) is not { } caller)
            {
                await bell.DisposeAsync().ConfigureAwait(false);
                End(status with { Phase = InstancePhase.Suspended, Fault = null });
                return false;
            }

            events.Report(EventNames.Woken, $"{_config.Name} is woken by {caller}");
            await ended.DisposeAsync().ConfigureAwait(false);
            await bell.CloseAsync().ConfigureAwait(false);
            var next = _start(rule);
            lock (_gate)
                _current = next;
            _ = CarryAsync(bell, next);
            return true;
        }
        catch (Exception e) when (e is FaultException or IOException or UnauthorizedAccessException)
        {
            await bell.DisposeAsync().ConfigureAwait(false);
            throw Fail(status, events, e);
        }
    }

    /// <returns>Who called; <see langword="null"/>: it is to be stopped.</returns>
    private async Task<string?> WaitForCallAsync(Doorbell bell)
    {
        var woken = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var broker = AgentBroker.Start(_files.AgentSocket);
        broker.Register(SupervisorCall.StopService, AnswerStopAsync);
        broker.Register(SupervisorCall.SuspendService, (_, _) => Task.FromResult<byte[]>([]));
        broker.Register(SupervisorCall.WakeService, (_, _) =>
        {
            woken.TrySetResult("a command");
            return Task.FromResult<byte[]>([]);
        });
        try
        {
            return await (await Task.WhenAny(bell.Rung, woken.Task).WaitAsync(_stopping.Token).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private static async Task CarryAsync(Doorbell bell, Supervisor next)
    {
        await using (bell)
        {
            await ((Task)next.Ready).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (next.Ready.IsCompletedSuccessfully)
                await bell.CarryAsync(next.Ended).ConfigureAwait(false);
        }
    }
}
