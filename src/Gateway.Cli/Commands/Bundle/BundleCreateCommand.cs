using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Bundles;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands.Bundle;

/// <summary><c>gateway bundle create FILE</c></summary>
internal static class BundleCreateCommand
{
    public static Command Create(CommandContext context)
    {
        var file = new Argument<string>("file") { Description = "The bundle to write; one that is there is replaced when the new one is whole.", HelpName = "FILE" };
        var distribution = new DistributionOptions();
        var baseImage = new BaseImageOption();
        var kernel = new KernelOption();
        var workload = new WorkloadOptions(
            "Kubernetes manifests that a start from the bundle applies (a file or a folder); may be repeated.",
            "Archives of container images that it loads (a file or a folder); may be repeated.",
            "A packaged Helm chart that it installs (k3s); may be repeated.");
        var output = new OutputOption();
        var command = new Command("create", "Write a bundle; builds what is missing first.") { file };
        distribution.AddTo(command);
        command.Options.Add(baseImage);
        command.Options.Add(kernel);
        workload.AddTo(command);
        command.Options.Add(output);
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var json = output.IsJson(parse);
            var request = new BundleRequest
            {
                Distribution = distribution.OfImage(parse),
                K3sBinary = distribution.BinaryOf(parse),
                BaseImage = baseImage.OfImage(parse),
                Kernel = kernel.Of(parse),
                Workload = workload.Read(parse),
                CreatedBy = "gateway " + CommandCatalog.Version,
                CommandFolder = AppContext.BaseDirectory,
            };
            var path = Path.GetFullPath(parse.GetValue(file)!);
            BundleCreator.Check(request, path);
            await PackageSetup.EnsureAsync(context, new InstanceConfig { Name = InstanceName.Default, Distribution = request.Distribution, K3sBinary = request.K3sBinary, BaseImage = request.BaseImage, Kernel = request.Kernel });
            CreatedBundle made;
            await using (var display = ProgressDisplays.Open(context))
                made = await new BundleCreator(context.Host.Directories, context.Host.Images).CreateAsync(request, path, new BuildSteps(display), cancellation);
            if (json)
                CliJson.Write(context.Host.Out, BundleView.Of(made.Path, made.Digest, made.Bytes, made.Manifest, []));
            else if (!context.Quiet)
                Write(context.Host.Out, made);
            return ExitCodes.Success;
        }));
        return command;
    }

    private static void Write(TextWriter writer, CreatedBundle made)
    {
        writer.WriteLine($"{made.Path}: {Units.Size(made.Bytes)}, {made.Manifest.Parts.Count} parts, {made.Manifest.Start.Distribution} for {made.Manifest.Architecture}");
        writer.WriteLine($"  digest   {made.Digest}");
        foreach (var requirement in made.Manifest.Requirements)
            writer.WriteLine($"  needs    {requirement.Package}{(requirement.MinimumVersion is { } least ? $" {least} or newer" : "")} on the host: {requirement.Why}");
        writer.WriteLine($"  start    gateway up --bundle {ShellQuote.Quote(Path.GetFileName(made.Path))}");
    }
}
