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
            await context.Host.Instances.StopAsync(status.Name, parse.GetValue(force), cancellation);
            if (!context.Quiet)
                await context.Host.Error.WriteLineAsync(Said(status, await context.Host.Instances.FindAsync(status.Name, cancellation)));
            return ExitCodes.Success;
        }));
        return command;
    }

    /// <summary>What came of it. A memory that was saved is not thrown away by a stop.</summary>
    private static string Said(InstanceStatus before, InstanceStatus? after) => (after?.Phase, before.Phase) switch
    {
        (InstancePhase.Suspended, InstancePhase.Suspended) when before.Processes.Count == 0 => $"'{before.Name}' was not running. It is suspended, {GoesOn(before.Name)}",
        (InstancePhase.Suspended, _) => $"'{before.Name}' is not woken by its ports any more. It stays suspended, {GoesOn(before.Name)}",
        (_, InstancePhase.Stopped) => $"'{before.Name}' was not running.",
        _ => $"'{before.Name}' is stopped.",
    };

    private static string GoesOn(string name) => $"and goes on from its memory at its next start; 'gateway up{KnownInstance.Named(name)} --start boot' boots it instead.";
}
