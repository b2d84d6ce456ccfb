using System.CommandLine;
using OpenShell.Gateway.Cli.Commands.Image;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway image</c>: what machines boot from.</summary>
internal static class ImageCommand
{
    public static Command Create(CommandContext context) => new("image", "Build and look after the images that machines boot from; load container images into a cluster.")
    {
        ImageBuildCommand.Create(context),
        ImageBakeCommand.Create(context),
        ImageListCommand.Create(context),
        ImageVerifyCommand.Create(context),
        ImagePruneCommand.Create(context),
        ImageSbomCommand.Create(context),
        ImageLoadCommand.Create(context),
    };
}
