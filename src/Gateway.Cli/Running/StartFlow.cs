using OpenShell.Gateway.Cli.Commands;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Gateway.Cli.Running;

/// <summary>From a configuration to a running instance and, in the foreground, to its end.</summary>
internal sealed class StartFlow(CommandContext context, InstanceConfig asked, StartManner manner)
{
    private readonly CliHost _host = context.Host;
    private readonly InstanceConfig _asked = asked;
    private InstanceConfig _config = asked;

    /// <summary>Runs it.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> RunAsync()
    {
        // What this start does not say, the instance has been told before; here only to look ahead: the start itself is given what was asked, and reads the rest when it has the instance.
        var stored = _config.Mode == GuestMode.Cluster ? await _host.Instances.ConfigAsync(_config.Name) : null;
        _config = StoredConfig.Complete(_asked, stored);

        // A bundle's start has looked for what it needs before it imported anything, and fetches nothing.
        if (_config.Pinned is null)
            await PackageSetup.EnsureAsync(context, _config);
        if (_config.Mode == GuestMode.Exec)
            return await new ProgramFlow(context, _config).RunAsync();

        var found = await _host.Instances.FindAsync(_config.Name);
        if (found is { Phase: InstancePhase.Ready or InstancePhase.Paused } ready && !manner.Reset)
        {
            RequireAsAsked(stored, ready);
            if (!context.Quiet)
                await _host.Error.WriteLineAsync($"'{_config.Name}' is already running.");
            Show(ready);
            return ExitCodes.Success;
        }

        if (found is { Phase: InstancePhase.Suspended } && !manner.Reset && _config.Start == StartKinds.Boot)
        {
            await LetGoOfSleepingAsync();
        }
        else if (found is { Phase: InstancePhase.Suspended } && !manner.Reset && await _host.Instances.WakeAsync(_config.Name) is { } woken)
        {
            RequireAsAsked(stored, woken);
            Show(woken);
            return ExitCodes.Success;
        }

        if (manner.Reset && found is not null)
        {
            // What this start would be refused for is said while all is there.
            await _host.Instances.ResetForAsync(_config);
            await MergedContext.TakeOutAsync(context, _config.Name);
        }

        using var interrupts = new Interrupts();
        return manner.Detach ? await DetachedAsync(interrupts) : await ForegroundAsync(interrupts);
    }

    /// <summary>One that sleeps would be woken from its memory, which this start looks at none of: whoever holds its ports for that ends, and it is started as any other that is suspended.</summary>
    private async Task LetGoOfSleepingAsync()
    {
        try
        {
            await _host.Instances.SuspendAsync(_config.Name);
        }
        catch (FaultException e) when (e.Faults[0].Code == "instance.not-running")
        {
            // Nobody does.
        }
    }

    /// <exception cref="FaultException">The machine that runs is not what was asked for.</exception>
    private void RequireAsAsked(InstanceConfig? stored, InstanceStatus running)
    {
        if (RunningDifferences.Of(_asked, stored, running) is { Count: > 0 } differences)
            throw new FaultException(Unlike(differences));
    }

    private Fault Unlike(IReadOnlyList<string> differences) => new()
    {
        Code = "instance.running-differs",
        What = $"'{_config.Name}' is already running, without {string.Join(", ", differences)}; nothing was changed.",
        Remedy = $"Stop it first ('gateway stop --name {_config.Name}'), then run the same again: what is on its disk stays.",
    };

    private async Task<int> DetachedAsync(Interrupts interrupts)
    {
        InstanceStatus status;
        await using (var display = ProgressDisplays.Open(context))
        {
            // Only while it starts: what is ready is not this command's to stop any more.
            var forced = Task.CompletedTask;
            using var now = interrupts.Now.Register(() => forced = Task.Run(() => _host.Instances.StopAsync(_config.Name, force: true)));
            try
            {
                status = await _host.Instances.StartDetachedAsync(_asked, [.. _host.Self, HiddenCommands.Supervise, _config.Name], new TimelineSteps(display), interrupts.Orderly);
            }
            catch (Exception e) when (interrupts.Signal is not null && e is OperationCanceledException or FaultException)
            {
                // The start's own stop may have found that this one has the instance: it is not to be left half way.
                await forced.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return ExitCodes.Signal(interrupts.Signal.Value);
            }

            display.ClearAtEnd = true;
        }

        Show(status);
        await BackgroundBake.BeginAsync(context, _config, status);
        return ExitCodes.Success;
    }

    private async Task<int> ForegroundAsync(Interrupts interrupts)
    {
        var display = ProgressDisplays.Open(context);
        try
        {
            await using var running = await _host.Instances.RunAsync(_asked, new TimelineSteps(display), interrupts.Orderly);
            using var stop = new StopOnInterrupt(running, interrupts, () => display.Say("Stopping; Ctrl-C again stops at once."));
            InstanceStatus status;
            try
            {
                status = await running.Ready;
            }
            catch (Exception e) when (interrupts.Signal is not null && e is OperationCanceledException or FaultException)
            {
                await stop.WaitAsync();
                return ExitCodes.Signal(interrupts.Signal.Value);
            }

            display.ClearAtEnd = true;
            await display.DisposeAsync();
            Show(status);
            await BackgroundBake.BeginAsync(context, _config, status);
            display.Say("Running; Ctrl-C stops it.");
            var code = await running.Completion;
            if (interrupts.Signal is not null)
                display.Say("Stopped.");
            return code;
        }
        catch (OperationCanceledException) when (interrupts.Signal is not null)
        {
            return ExitCodes.Signal(interrupts.Signal.Value);
        }
        finally
        {
            await display.DisposeAsync();
        }
    }

    private void Show(InstanceStatus status)
    {
        if (manner.Json)
            CliJson.Write(_host.Out, StatusView.Of(status));
        else if (!context.Quiet)
            ReadySummary.Write(_host.Out, status);
    }
}

/// <summary>How it is to be started.</summary>
/// <param name="Detach">Leave it to a supervisor of its own once it is ready.</param>
/// <param name="Reset">Throw away what the instance has on its disk.</param>
/// <param name="Json">Print the status as JSON.</param>
internal sealed record StartManner(bool Detach, bool Reset, bool Json);
