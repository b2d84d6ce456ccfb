using System.CommandLine;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Kernels;

namespace OpenShell.Gateway.Cli.Commands.Kernel;

/// <summary><c>gateway kernel compare</c>: the table of docs/kernel.md, from the kernels' configurations; starts no machine.</summary>
internal static class KernelCompareCommand
{
    public static Command Create(CommandContext context)
    {
        var command = new Command("compare", "Compare Debian's kernel, the one in libkrunfw and ours by their configurations. Builds what is missing.");
        command.SetAction(_ => Interrupts.GuardAsync(async cancellation =>
        {
            await PackageSetup.EnsureForKernelAsync(context, architecture: null);
            IReadOnlyList<(string Name, KernelConfiguration Configuration)> kernels;
            await using (var display = ProgressDisplays.Open(context))
                kernels = await context.Host.Images.KernelsAsync(new BuildSteps(display), cancellation);
            await context.Host.Out.WriteAsync(KernelMatrix.Markdown(kernels));
            return ExitCodes.Success;
        }));
        return command;
    }
}
