using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway list</c>: every instance, broken ones included.</summary>
internal static class ListCommand
{
    public static Command Create(CommandContext context)
    {
        var output = new OutputOption();
        var command = new Command("list", "List the instances of this user.") { output };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var instances = await context.Host.Instances.ListAsync();
            if (json)
            {
                CliJson.Write<IReadOnlyList<StatusView>>(context.Host.Out, [.. instances.Select(StatusView.Of)]);
                return ExitCodes.Success;
            }

            if (instances.Count == 0)
            {
                if (!context.Quiet)
                    await context.Host.Error.WriteLineAsync("There are no instances; 'gateway up' makes one.");
                return ExitCodes.Success;
            }

            var table = new TextTable("NAME", "PHASE", "GATEWAY", "MACHINE", "WHAT IS WRONG");
            foreach (var instance in instances)
                table.Add(instance.Name, CliJson.Word(instance.Phase), instance.Endpoint, StatusText.Machine(instance), instance.Fault?.What);
            table.Write(context.Host.Out);
            return ExitCodes.Success;
        });
        return command;
    }
}
