using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Timeline;

namespace OpenShell.Gateway.Cli.Running;

/// <summary><c>gateway --exec</c>: a machine that runs one program. All that is seen of it is the program.</summary>
internal sealed class ProgramFlow(CommandContext context, InstanceConfig config)
{
    private bool _powered;

    /// <summary>Runs it.</summary>
    /// <returns>The program's exit code.</returns>
    public async Task<int> RunAsync()
    {
        using var interrupts = new Interrupts();
        try
        {
            return await RunAsync(interrupts);
        }
        catch (OperationCanceledException) when (interrupts.Signal is not null)
        {
            return ExitCodes.Signal(interrupts.Signal.Value);
        }
        catch (FaultException) when (interrupts.Signal is not null)
        {
            return ExitCodes.Signal(interrupts.Signal.Value);
        }
        catch (FaultException e) when (_powered)
        {
            return ProgramEnd.Lost(context, e);
        }
    }

    private async Task<int> RunAsync(Interrupts interrupts)
    {
        var display = ProgressDisplays.Open(context);
        try
        {
            display.ClearAtEnd = true;
            var steps = new TimelineSteps(context.Verbose || context.Host.ErrorIsRich ? display : new OnlyImages(display));
            await using var running = await context.Host.Instances.RunAsync(config, new PowerWatch(steps, () => _powered = true), interrupts.Orderly);
            using var stop = new StopOnInterrupt(running, interrupts, () => display.Say("Stopping; Ctrl-C again stops at once."));
            if (await Task.WhenAny(running.Process, running.Completion) == running.Completion && !running.Process.IsCompletedSuccessfully)
            {
                // Stopped before the program ran: that is no success of the program's.
                var code = await running.Completion;
                return interrupts.Signal is { } signal ? ExitCodes.Signal(signal) : code;
            }

            await display.DisposeAsync();

            // From here on signals are the program's.
            interrupts.Dispose();
            using var program = new GuestProgram(config.Exec!);
            var result = await program.RunAsync(() => running.Process, LocalStreams.Stdin, LocalStreams.Stdout, LocalStreams.Stderr);
            return ProgramEnd.Report(context, config.Exec!, result);
        }
        finally
        {
            await display.DisposeAsync();
        }
    }

    /// <summary>Notices when the machine is switched on: what goes wrong from then on is no fault of the command line or the host.</summary>
    private sealed class PowerWatch(IProgress<TimelineEvent> next, Action on) : IProgress<TimelineEvent>
    {
        public void Report(TimelineEvent value)
        {
            if (value.Stage is BootStages.Kernel)
                on();
            next.Report(value);
        }
    }

    /// <summary>In a log, a program's output is not to be mixed with the stages of a boot that takes seconds; an image build takes minutes and is told.</summary>
    private sealed class OnlyImages(IProgressDisplay display) : IProgressDisplay
    {
        public bool ClearAtEnd { get; set; }

        public void Show(Step step)
        {
            if (step.Id.StartsWith(BootStages.Image + "/", StringComparison.Ordinal) && step.State != StepState.Skipped)
                display.Show(step);
        }

        public void Say(string line) => display.Say(line);

        public ValueTask DisposeAsync() => display.DisposeAsync();
    }
}
