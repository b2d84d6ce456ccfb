using System.CommandLine;
using System.Text.Json;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary>The process that <see cref="BackgroundBake"/> starts.</summary>
internal static class BakeCommand
{
    public static Command Create(CommandContext context)
    {
        var request = new Argument<string>("request");
        var command = new Command(HiddenCommands.Bake) { request };
        command.Hidden = true;
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var path = parse.GetRequiredValue(request);
            var config = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(path, cancellation), InstanceJson.Default.InstanceConfig)!;
            File.Delete(path);
            var image = await context.Host.Instances.BakeAsync(config, null, cancellation);
            await context.Host.Out.WriteLineAsync($"The golden image {image.Hash} is ready.");
            return ExitCodes.Success;
        }));
        return command;
    }
}
