using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Images;
using OpenShell.Vm.Planning;
using OpenShell.Vm.Protocol.Messages;
using OpenShell.Vm.Runtime;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway runtime</c>: every file that a start would run on, and whether it is what it should be.</summary>
internal static class RuntimeCommand
{
    public static Command Create(CommandContext context)
    {
        var output = new OutputOption();
        var distribution = new DistributionOptions();
        var baseImage = new BaseImageOption();
        var command = new Command("runtime", "Show every part that a machine runs on (QEMU, gvproxy, kernel, images): path, version, SHA-256 and origin; fails if one is not what its manifest says.") { output };
        distribution.AddTo(command);
        command.Options.Add(baseImage);
        command.SetAction(async (parse, cancellation) =>
        {
            var json = output.IsJson(parse);
            var host = await new HostProbe(context.Host.Directories, null).ProbeAsync(cancellation);
            var request = new ImageRequest { Mode = GuestMode.Cluster, Distribution = distribution.OfImage(parse), K3sBinary = distribution.BinaryOf(parse), BaseImage = baseImage.OfImage(parse) };
            var images = await context.Host.Images.FindAsync(request, cancellation) ?? await context.Host.Images.FindAsync(request with { Mode = GuestMode.Exec }, cancellation);
            var parts = await new RuntimeInspector(context.Host.Directories).InspectAsync(host, images, cancellation);
            if (json)
                CliJson.Write<IReadOnlyList<RuntimePart>>(context.Host.Out, parts);
            else
                Write(context.Host.Out, parts);
            if (images is null && !json && !context.Quiet)
                await context.Host.Error.WriteLineAsync("The images are not built yet: 'gateway image build', or the first start, builds them.");
            RuntimePart.ThrowIfUnfit(parts);
            return ExitCodes.Success;
        });
        return command;
    }

    private static void Write(TextWriter writer, IReadOnlyList<RuntimePart> parts)
    {
        var table = new TextTable("PART", "ORIGIN", "VERSION", "SHA-256", "PATH");
        foreach (var part in parts)
            table.Add(part.Name, CliJson.Word(part.Origin), part.Version ?? "?", part.Sha256, $"{part.Path} ({part.From})");
        table.Write(writer);
    }
}
