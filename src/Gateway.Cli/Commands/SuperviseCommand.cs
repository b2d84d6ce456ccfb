using System.CommandLine;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary>The process that <c>up --detach</c> leaves behind.</summary>
internal static class SuperviseCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new Argument<string>("name");
        var command = new Command(HiddenCommands.Supervise) { name };
        command.Hidden = true;
        command.SetAction(parse => ((LocalInstances)context.Host.Instances).SuperviseAsync(parse.GetRequiredValue(name)));
        return command;
    }
}
