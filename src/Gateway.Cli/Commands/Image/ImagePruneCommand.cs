using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Images;

namespace OpenShell.Gateway.Cli.Commands.Image;

/// <summary><c>gateway image prune</c></summary>
internal static class ImagePruneCommand
{
    public static Command Create(CommandContext context)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say what would be removed." };
        var caches = new Option<bool>("--build-caches") { Description = "Also what only makes later builds faster: packages, sources, compilers' caches." };
        var output = new OutputOption();
        var command = new Command("prune", "Remove images that neither the current recipes nor an instance use, and what interrupted builds left.") { dryRun, caches, output };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var dry = parse.GetValue(dryRun);
            var report = await context.Host.Images.PruneAsync(new PruneRequest { DryRun = dry, BuildCaches = parse.GetValue(caches) });
            if (json)
            {
                CliJson.Write(context.Host.Out, new PruneView(dry, report.Bytes, report.Removed, [.. report.Kept.Select(ArtifactView.Of)]));
                return ExitCodes.Success;
            }

            var table = new TextTable("SIZE", "PATH", "WHY");
            foreach (var removed in report.Removed)
                table.Add(Units.Size(removed.Bytes), removed.Path, removed.Why);
            if (report.Removed.Count > 0)
                table.Write(context.Host.Out);
            if (!context.Quiet)
                await context.Host.Out.WriteLineAsync($"{Units.Size(report.Bytes)} {(dry ? "would be" : "are")} free again.");
            return ExitCodes.Success;
        });
        return command;
    }
}
