using System.CommandLine;
using System.Globalization;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;

namespace OpenShell.Gateway.Cli.Commands.Image;

/// <summary><c>gateway image list</c></summary>
internal static class ImageListCommand
{
    // Enough of a content address to tell two apart.
    private const int ShownKey = 12;

    public static Command Create(CommandContext context)
    {
        var output = new OutputOption();
        var command = new Command("list", "List what is in the image cache.") { output };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var artifacts = await context.Host.Images.ListAsync();
            if (json)
            {
                CliJson.Write<IReadOnlyList<ArtifactView>>(context.Host.Out, [.. artifacts.Select(ArtifactView.Of)]);
                return ExitCodes.Success;
            }

            if (artifacts.Count == 0)
            {
                if (!context.Quiet)
                    await context.Host.Error.WriteLineAsync("The image cache is empty; 'gateway image build' fills it.");
                return ExitCodes.Success;
            }

            var table = new TextTable("KIND", "KEY", "VERSION", "SIZE", "BUILT", "USED BY", "WHAT IS WRONG");
            foreach (var a in artifacts)
            {
                table.Add(
                    a.Kind,
                    a.Key.Length > ShownKey ? a.Key[..ShownKey] : a.Key,
                    a.Version,
                    Units.Size(a.Size),
                    a.BuiltAt?.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
                    string.Join(", ", (a.Current ? ["current"] : Array.Empty<string>()).Concat(a.Instances)),
                    a.Fault?.What);
            }

            table.Write(context.Host.Out);
            return ExitCodes.Success;
        });
        return command;
    }
}
