using System.CommandLine;
using System.Text;
using OpenShell.Vm.Bundles;

namespace OpenShell.Gateway.Cli.Commands.Bundle;

/// <summary><c>gateway bundle sbom FILE</c></summary>
internal static class BundleSbomCommand
{
    public static Command Create(CommandContext context)
    {
        var file = new Argument<string>("file") { Description = "The bundle.", HelpName = "FILE" };
        var command = new Command("sbom", "Print a bundle's bill of materials (SPDX 2.3, JSON).") { file };
        command.SetAction(async parse =>
        {
            using var bundle = BundleFile.Open(Path.GetFullPath(parse.GetValue(file)!));
            await context.Host.Out.WriteAsync(Encoding.UTF8.GetString(bundle.ReadSbom()));
            return ExitCodes.Success;
        });
        return command;
    }
}
