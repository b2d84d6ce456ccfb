using OpenShell.Vm.Events;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Guests;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Networking;

namespace OpenShell.Vm.Supervision;

/// <summary>An instance that was suspended because nobody used it: its ports are listened on, and the first who calls wakes it.</summary>
internal sealed partial class RestartingInstance
{
    /// <summary>For the clone before it.</summary>
    private static readonly TimeSpan CloneLimit = TimeSpan.FromSeconds(60);

    /// <summary>Whoever wanted clones of one that was put to sleep for it, and has asked for none in so long, is gone.</summary>
    private static readonly TimeSpan NapLimit = TimeSpan.FromSeconds(30);

    /// <summary>Sleeps until somebody calls, starts it, and carries those who called.</summary>
    /// <returns>Whether it was started; not, when somebody had it stopped meanwhile: then it stays suspended.</returns>
    private async Task<bool> SleepAsync(Supervisor ended, RestartRule rule)
    {
        using var log = new SupervisorLog(_files.SupervisorLog, _options.Time);
        using var events = new EventLog(_files.Events, _config.Name, _options.Time, say: log.Say);
        var status = ended.Status;
        var bell = ended.Bell!;
        try
        {
            if (await WaitForCallAsync(bell, ended.Sleep).ConfigureAwait(false) is not { } caller)
            {
                await bell.DisposeAsync().ConfigureAwait(false);
                End(status with { Phase = InstancePhase.Suspended, Fault = null }, log);
                return false;
            }

            events.Report(EventNames.Woken, $"{_config.Name} is woken by {caller}");
            await ended.DisposeAsync().ConfigureAwait(false);

            // It goes on listening: each port until gvproxy is to have it.
            var next = Start(rule, bell);
            lock (_gate)
                _current = next;
            _ = CarryAsync(bell, next);
            return true;
        }
        catch (Exception e) when (e is FaultException or IOException or UnauthorizedAccessException)
        {
            await bell.DisposeAsync().ConfigureAwait(false);
            throw Fail(status, log, events, e);
        }
    }

    /// <returns>Who called; <see langword="null"/>: it is to be stopped.</returns>
    private async Task<string?> WaitForCallAsync(Doorbell bell, Sleep sleep)
    {
        var woken = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var broker = AgentBroker.Start(_files.AgentSocket);
        broker.Register(SupervisorCall.StopService, AnswerStopAsync);

        // It is suspended; and whoever says so now wants it to stay that way until it is started.
        broker.Register(SupervisorCall.SuspendService, AnswerStopAsync);
        broker.Register(SupervisorCall.NapService, (_, _) => Task.FromResult<byte[]>([]));

        // What clones are made of holds still until they are made.
        using var cloning = new SemaphoreSlim(1);

        // One that sleeps only to be cloned is not woken by those who were cut off by that, before it is cloned; they wait.
        var forClones = sleep == Sleep.ForClones;
        await using var nobody = _options.Time.CreateTimer(_ => woken.TrySetResult("itself: nobody clones it any more"), null, forClones ? NapLimit : Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        broker.Register(SupervisorCall.CloneService, (name, token) => Supervisor.AnswerAsync(async () =>
        {
            nobody.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            await CloneAsync(System.Text.Encoding.UTF8.GetString(name.Span), cloning, token).ConfigureAwait(false);
            if (forClones)
                nobody.Change(NapLimit, Timeout.InfiniteTimeSpan);
        }));
        broker.Register(SupervisorCall.WakeService, (_, _) =>
        {
            woken.TrySetResult("a command");
            return Task.FromResult<byte[]>([]);
        });
        try
        {
            return await (forClones ? woken.Task : Task.WhenAny(bell.Rung, woken.Task).Unwrap()).WaitAsync(_stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        finally
        {
            // For good: nobody clones what runs.
            await cloning.WaitAsync().ConfigureAwait(false);
        }
    }

    private async Task CloneAsync(string name, SemaphoreSlim cloning, CancellationToken cancellationToken)
    {
        if (!await cloning.WaitAsync(CloneLimit, cancellationToken).ConfigureAwait(false))
            throw new FaultException(new Fault { Code = "instance.woken", What = $"{_config.Name} goes on at this moment.", Remedy = "Try again." });
        try
        {
            await new InstanceCloner(_options).CloneAsync(_config.Name, name, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            cloning.Release();
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
