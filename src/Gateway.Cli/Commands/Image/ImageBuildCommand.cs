using System.CommandLine;
using System.Diagnostics;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Images;
using OpenShell.Vm.Protocol.Messages;

namespace OpenShell.Gateway.Cli.Commands.Image;

/// <summary><c>gateway image build</c>: builds what is missing; with nothing missing it is done at once.</summary>
internal static class ImageBuildCommand
{
    public static Command Create(CommandContext context)
    {
        var distribution = new DistributionOptions();
        var baseImage = new BaseImageOption();
        var program = new Option<bool>("--exec-only") { Description = "Only what 'gateway --exec' needs: no Kubernetes." };
        var architecture = new ArchitectureOption("The guest's processor: amd64 or arm64 (this machine's).");
        var withoutGuest = new Option<bool>("--without-guest") { Description = "Without this project's own programs, where .NET's compiler for the processor cannot be had: images that end at busybox's prompt." };
        var refresh = new Option<bool>("--refresh") { Description = "Ask the mirror for newer packages, and the registry for the base image's tag, instead of using what was resolved before." };
        var output = new OutputOption();
        var command = new Command("build", "Build what is missing. What is there is used as it is; an interrupted build goes on.") { program, architecture, baseImage, withoutGuest, refresh, output };
        distribution.AddTo(command);
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var json = output.IsJson(parse);
            var request = new ImageRequest
            {
                Mode = parse.GetValue(program) ? GuestMode.Exec : GuestMode.Cluster,
                Architecture = architecture.Of(parse),
                WithoutGuest = parse.GetValue(withoutGuest),
                Distribution = distribution.OfImage(parse),
                K3sBinary = distribution.BinaryOf(parse),
                BaseImage = baseImage.OfImage(parse),
                Refresh = parse.GetValue(refresh),
            };
            await PackageSetup.EnsureForBuildAsync(context, request);
            var began = Stopwatch.GetTimestamp();
            ImageSet set;
            await using (var display = ProgressDisplays.Open(context))
                set = await context.Host.Images.EnsureAsync(request, new BuildSteps(display), cancellation);
            var took = Stopwatch.GetElapsedTime(began);
            if (json)
                CliJson.Write(context.Host.Out, new ImageView(set.Key, set.Kernel, set.Initramfs, set.Root, Units.Seconds(took)));
            else if (!context.Quiet)
                await context.Host.Out.WriteLineAsync($"The image {set.Key} is ready after {Units.Time(took)}.");
            return ExitCodes.Success;
        }));
        return command;
    }
}
