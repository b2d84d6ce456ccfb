using System.CommandLine;
using OpenShell.Gateway.Cli.Manual;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway man</c></summary>
internal static class ManCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command("man", "Print the manual page, made of what --help says: gateway man | man -l -");
        command.SetAction(parse =>
        {
            context.Host.Out.Write(ManualPage.Of(parse.RootCommandResult.Command, CommandCatalog.Version, File.GetLastWriteTimeUtc(CliHost.ProgramFile)));
            return ExitCodes.Success;
        });
        return command;
    }
}
