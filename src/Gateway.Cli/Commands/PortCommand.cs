using System.CommandLine;
using OpenShell.Gateway.Cli.Commands.Port;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway port</c>: forwards of an instance, also while it runs.</summary>
internal static class PortCommand
{
    public static Command Create(CommandContext context) => new("port", "Add, remove and list the ports of this machine that lead into an instance, while it runs or not.")
    {
        PortAddCommand.Create(context),
        PortRemoveCommand.Create(context),
        PortListCommand.Create(context),
    };
}
