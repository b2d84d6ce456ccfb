using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Images;

namespace OpenShell.Gateway.Cli.Commands.Image;

/// <summary><c>gateway image verify</c></summary>
internal static class ImageVerifyCommand
{
    public static Command Create(CommandContext context)
    {
        var output = new OutputOption();
        var command = new Command("verify", "Hash every file in the image cache and compare it with what was recorded when it was built.") { output };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var json = output.IsJson(parse);
            VerifyReport report;
            await using (var display = ProgressDisplays.Open(context))
                report = await context.Host.Images.VerifyAsync(new BuildSteps(display), cancellation);
            if (json)
                CliJson.Write(context.Host.Out, new VerifyView(report.Ok, report.Bytes, [.. report.Verified.Select(ArtifactView.Of)], [.. report.Faults.Select(f => FaultView.Of(f)!)]));
            else if (!context.Quiet)
                await context.Host.Out.WriteLineAsync($"{report.Verified.Count} artifacts ({Units.Size(report.Bytes)}) are as they were built{(report.Ok ? "" : $"; {report.Faults.Count} faults")}.");
            return report.Ok ? ExitCodes.Success : throw new FaultException(report.Faults);
        }));
        return command;
    }
}
