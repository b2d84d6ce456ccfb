using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands.Port;

/// <summary><c>gateway port list</c></summary>
internal static class PortListCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var output = new OutputOption();
        var command = new Command("list", "List an instance's forwards; of one that does not run, those of its next start.") { name, output };
        command.Aliases.Add("ls");
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var ports = await context.Host.Instances.ListPortsAsync(status.Name);
            if (json)
            {
                CliJson.Write<IReadOnlyList<PortView>>(context.Host.Out, [.. ports.Select(PortView.Of)]);
                return ExitCodes.Success;
            }

            var table = new TextTable("THIS MACHINE", "GUEST", "STATE", "FOR");
            foreach (var port in ports)
                table.Add(port.Forward.HostEnd(), $"{port.Forward.GuestPort}/{(port.Forward.Protocol == PortProtocol.Udp ? "udp" : "tcp")}", port.InForce ? "open" : "closed", port.Purpose);
            table.Write(context.Host.Out);
            return ExitCodes.Success;
        });
        return command;
    }
}
