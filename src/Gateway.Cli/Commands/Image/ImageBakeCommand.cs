using System.CommandLine;
using System.Diagnostics;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Snapshots;

namespace OpenShell.Gateway.Cli.Commands.Image;

/// <summary><c>gateway image bake</c></summary>
internal static class ImageBakeCommand
{
    public static Command Create(CommandContext context)
    {
        var start = new StartOptions();
        var output = new OutputOption();
        var command = new Command("bake", "Boot a cluster once and freeze it with its memory: new instances of the same options then begin as copies of it, in a moment.");
        start.AddTo(command);
        command.Options.Add(output);
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var json = output.IsJson(parse);
            var config = start.Read(parse, context);
            await PackageSetup.EnsureAsync(context, config);
            var began = Stopwatch.GetTimestamp();
            GoldenImage image;
            await using (var display = ProgressDisplays.Open(context))
            {
                image = await context.Host.Instances.BakeAsync(config, new TimelineSteps(display), cancellation);
                display.ClearAtEnd = true;
            }

            if (json)
                CliJson.Write(context.Host.Out, image);
            else if (!context.Quiet)
                await context.Host.Out.WriteLineAsync($"The golden image {image.Hash} ({Units.Size(image.Bytes)}, of it {Units.Size(image.MemoryBytes)} memory) is ready after {Units.Time(Stopwatch.GetElapsedTime(began))}.");
            return ExitCodes.Success;
        }));
        return command;
    }
}
