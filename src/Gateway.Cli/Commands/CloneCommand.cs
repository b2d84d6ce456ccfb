using System.CommandLine;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway clone</c></summary>
internal static class CloneCommand
{
    public static Command Create(CommandContext context)
    {
        var source = new Argument<string>("SOURCE") { Description = "A stopped instance." };
        source.CompletionSources.Add(Completing.InstanceNames.All);
        var destination = new Argument<string>("NAME") { Description = "The new instance." };
        var command = new Command("clone", "Make a new instance with the data of a stopped one and ports of its own. It takes no space until the two differ.") { source, destination };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var from = (await KnownInstance.FindAsync(context, InstanceName.Parse(parse.GetRequiredValue(source)).Value)).Name;
            var made = await context.Host.Instances.CloneAsync(from, InstanceName.Parse(parse.GetRequiredValue(destination)).Value, cancellation);
            if (!context.Quiet)
                await context.Host.Error.WriteLineAsync($"'{made.Name}' is a clone of '{from}'; 'gateway up --name {made.Name}' starts it.");
            return ExitCodes.Success;
        }));
        return command;
    }
}
