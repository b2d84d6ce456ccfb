using System.CommandLine;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary>The process that <c>up --detach</c> leaves behind.</summary>
internal static class SuperviseCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new Argument<string>("name");
        var request = new Argument<string?>("request") { Arity = ArgumentArity.ZeroOrOne };
        var command = new Command(HiddenCommands.Supervise) { name, request };
        command.Hidden = true;
        command.SetAction(parse => ((LocalInstances)context.Host.Instances).SuperviseAsync(parse.GetRequiredValue(name), parse.GetValue(request)));
        return command;
    }
}
