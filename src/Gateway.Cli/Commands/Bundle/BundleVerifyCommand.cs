using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Bundles;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands.Bundle;

/// <summary><c>gateway bundle verify FILE</c></summary>
internal static class BundleVerifyCommand
{
    public static Command Create(CommandContext context)
    {
        var file = new Argument<string>("file") { Description = "The bundle.", HelpName = "FILE" };
        var output = new OutputOption();
        var command = new Command("verify", "Compare every byte of a bundle with what it says of itself; names everything that is damaged. Changes nothing.") { file, output };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var json = output.IsJson(parse);
            var path = Path.GetFullPath(parse.GetValue(file)!);
            using var bundle = BundleFile.Open(path);
            BundleReport report;
            await using (var display = ProgressDisplays.Open(context))
                report = await BundleVerifier.VerifyAsync(bundle, new BuildSteps(display), cancellation);
            if (json)
                CliJson.Write(context.Host.Out, BundleView.Of(path, report.Digest, report.Bytes, report.Manifest, report.Faults));
            else if (!context.Quiet && report.Ok)
                await context.Host.Out.WriteLineAsync($"{path}: {Units.Size(report.Bytes)}, {report.Intact.Count} parts are as they were written.\n  digest   {report.Digest}");
            return report.Ok ? ExitCodes.Success : throw new FaultException(report.Faults);
        }));
        return command;
    }
}
