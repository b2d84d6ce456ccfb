using System.CommandLine;
using OpenShell.Gateway.Cli.Commands.Bundle;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway bundle</c>: everything that a start needs in one file.</summary>
internal static class BundleCommand
{
    public static Command Create(CommandContext context) => new("bundle", "Pack everything that a start needs into one file, for machines without a network ('gateway up --bundle FILE').")
    {
        BundleCreateCommand.Create(context),
        BundleVerifyCommand.Create(context),
        BundleSbomCommand.Create(context),
    };
}
