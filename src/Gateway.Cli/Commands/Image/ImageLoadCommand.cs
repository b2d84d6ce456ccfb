using System.CommandLine;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Deliveries;
using OpenShell.Vm.Distributions;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands.Image;

/// <summary><c>gateway image load</c>: container images into a running cluster.</summary>
internal static class ImageLoadCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var archives = new Argument<string[]>("archives") { Description = "Archives of container images (docker save, OCI layout): tar, tar.gz, tar.zst.", Arity = ArgumentArity.OneOrMore, HelpName = "FILE..." };
        var command = new Command("load", "Load container images into a running cluster, so that its pods need no registry for them.") { archives, name };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var files = parse.GetValue(archives)!.Select(Path.GetFullPath).ToList();
            if (ImageLoader.Faults(files) is { Count: > 0 } faults)
                throw new FaultException(faults);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var distribution = DistributionCatalog.Find(status.Distribution ?? "") ?? new Upstream();
            await using var agent = await context.Host.Instances.ConnectAsync(status.Name, cancellation);
            foreach (var file in files)
            {
                var said = await ImageLoader.LoadAsync(agent, distribution, file, null, cancellation);
                if (!context.Quiet)
                    await context.Host.Out.WriteLineAsync($"{file} ({Units.Size(new FileInfo(file).Length)}): {said.ReplaceLineEndings("; ")}");
            }

            return ExitCodes.Success;
        }));
        return command;
    }
}
