using System.CommandLine;
using OpenShell.Gateway.Cli.Commands.Kernel;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway kernel</c>: this project's own kernel, and what a kernel can do.</summary>
internal static class KernelCommand
{
    public static Command Create(CommandContext context) => new("kernel", "Build a kernel of our own, and find out what a kernel can do.")
    {
        KernelBuildCommand.Create(context),
        KernelCheckCommand.Create(context),
        KernelCompareCommand.Create(context),
    };
}
