using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway plan</c>: what <c>up</c> with the same options would start.</summary>
internal static class PlanCommand
{
    public static Command Create(CommandContext context)
    {
        var start = new StartOptions();
        var output = new OutputOption();
        var command = new Command("plan", "Print exactly what 'up' with the same options would start, without starting or building anything.");
        start.AddTo(command);
        command.Options.Add(output);
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var config = start.Read(parse, context);
            var plan = await context.Host.Instances.PlanAsync(StoredConfig.Complete(config, await context.Host.Instances.ConfigAsync(config.Name)));
            if (json)
                CliJson.Write(context.Host.Out, plan);
            else
                PlanText.Write(context.Host.Out, plan);
            return ExitCodes.Success;
        });
        return command;
    }
}
