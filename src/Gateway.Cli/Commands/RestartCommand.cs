using System.CommandLine;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway restart</c>: stop and start, with the stored configuration.</summary>
internal static class RestartCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var force = new Option<bool>("--force", "-f") { Description = "Stop it at once, as if the power were cut; what was not yet written is lost." };
        var output = new OutputOption();
        var command = new Command("restart", "Stop an instance and start it again in the background, as it was configured, with what 'gateway edit' has changed.") { name, force, output };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));

            // Read first: what cannot be started again is not stopped. And then no more of it: the stop takes its time, in which it may be edited.
            _ = await context.Host.Instances.ConfigAsync(status.Name)
                ?? throw new FaultException(status.Fault ?? UsageFaults.Make($"'{status.Name}' has no configuration.", "Start it with 'gateway up'."));
            var stopped = await Interrupts.GuardAsync(async cancellation =>
            {
                if (!context.Quiet && status.Phase is not InstancePhase.Stopped)
                    await context.Host.Error.WriteLineAsync($"Stopping '{status.Name}'.");
                await context.Host.Instances.StopAsync(status.Name, parse.GetValue(force), cancellation);
                return ExitCodes.Success;
            });
            return stopped == ExitCodes.Success ? await new StartFlow(context, new InstanceConfig { Name = status.Name, Repeats = true }, new StartManner(Detach: true, Reset: false, json)).RunAsync() : stopped;
        });
        return command;
    }
}
