using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands.Port;

/// <summary><c>gateway port add [ADDRESS:]HOST:GUEST[/udp]</c></summary>
internal static class PortAddCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var output = new OutputOption();
        var text = new Argument<string>("forward") { Description = "[ADDRESS:]HOST:GUEST[/udp], as with -p; 0 as HOST takes a free port. A Unix socket: PATH:GUEST.", HelpName = "FORWARD" };
        var command = new Command("add", "Forward a port of this machine, or a Unix socket, into an instance. It stays over restarts.") { name, output, text };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var faults = new List<Fault>();
            if (PortForwardParser.Parse("port add", parse.GetValue(text)!, faults) is not { } forward)
                throw new FaultException(faults);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var added = await context.Host.Instances.AddPortAsync(status.Name, forward);
            if (json)
                CliJson.Write(context.Host.Out, PortView.Of(added));
            else if (!context.Quiet)
                await context.Host.Out.WriteLineAsync(added.InForce ? added.Forward.Text() : $"{added.Forward.Text()} (from the next start on)");
            return ExitCodes.Success;
        });
        return command;
    }
}
