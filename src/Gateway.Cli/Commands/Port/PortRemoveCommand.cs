using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;

namespace OpenShell.Gateway.Cli.Commands.Port;

/// <summary><c>gateway port remove HOST</c></summary>
internal static class PortRemoveCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var output = new OutputOption();
        var text = new Argument<string>("forward") { Description = "Its end on this machine: 8080, 127.0.0.1:8080, 5353/udp, or the path of a socket; or all of it, as it was added.", HelpName = "FORWARD" };
        var command = new Command("remove", "Take a forward away, now and for the starts to come. Connections that are open stay so.") { name, output, text };
        command.Aliases.Add("rm");
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var removed = await context.Host.Instances.RemovePortAsync(status.Name, parse.GetValue(text)!);
            if (json)
                CliJson.Write(context.Host.Out, PortView.Of(removed with { InForce = false }));
            else if (!context.Quiet)
                await context.Host.Out.WriteLineAsync($"{removed.Forward.Text()} is not forwarded any more");
            return ExitCodes.Success;
        });
        return command;
    }
}
