using System.CommandLine;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway stop</c></summary>
internal static class StopCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var force = new Option<bool>("--force", "-f") { Description = "At once, as if the power were cut; what was not yet written is lost." };
        var command = new Command("stop", "Shut an instance down in order: services, disks, power.") { name, force };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var running = status.Phase is not InstancePhase.Stopped;
            await context.Host.Instances.StopAsync(status.Name, parse.GetValue(force), cancellation);
            if (!context.Quiet)
                await context.Host.Error.WriteLineAsync(running ? $"'{status.Name}' is stopped." : $"'{status.Name}' was not running.");
            return ExitCodes.Success;
        }));
        return command;
    }
}
