using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway status</c>: the truth about one instance.</summary>
internal static class StatusCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var output = new OutputOption();
        var command = new Command("status", "Say what an instance is doing, with its endpoint, processes and stage times.") { name, output };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            if (json)
                CliJson.Write(context.Host.Out, StatusView.Of(status));
            else
                StatusText.Write(context.Host.Out, status);
            return ExitCodes.Success;
        });
        return command;
    }
}
