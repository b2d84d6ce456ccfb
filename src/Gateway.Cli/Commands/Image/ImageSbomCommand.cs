using System.CommandLine;
using System.Text;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Bundles;

namespace OpenShell.Gateway.Cli.Commands.Image;

/// <summary><c>gateway image sbom</c></summary>
internal static class ImageSbomCommand
{
    public static Command Create(CommandContext context)
    {
        var distribution = new DistributionOptions();
        var kernel = new KernelOption();
        var command = new Command("sbom", "Print the bill of materials (SPDX 2.3, JSON) of the images that a cluster starts from; builds what is missing first.") { kernel };
        distribution.AddTo(command);
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var request = new BundleRequest { Distribution = distribution.OfImage(parse), K3sBinary = distribution.BinaryOf(parse), Kernel = kernel.Of(parse), CreatedBy = "gateway " + CommandCatalog.Version };
            byte[] bill;
            await using (var display = ProgressDisplays.Open(context))
                bill = await new BundleCreator(context.Host.Directories, context.Host.Images).BillOfImagesAsync(request, new BuildSteps(display), cancellation);
            await context.Host.Out.WriteAsync(Encoding.UTF8.GetString(bill));
            return ExitCodes.Success;
        }));
        return command;
    }
}
