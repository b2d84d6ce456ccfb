using System.CommandLine;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Kernels;

namespace OpenShell.Gateway.Cli.Commands.Kernel;

/// <summary><c>gateway kernel compare</c>: the table of docs/kernel.md, from the kernels' configurations; starts no machine.</summary>
internal static class KernelCompareCommand
{
    public static Command Create(CommandContext context)
    {
        var others = new Argument<string[]>("others") { Description = "Further kernels: a name for each, and its configuration, or a kernel or libkrunfw that holds one.", Arity = ArgumentArity.ZeroOrMore, HelpName = "NAME=FILE" };
        var command = new Command("compare", "Compare Debian's kernel and ours, and others, by their configurations. Builds what is missing.") { others };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var given = (parse.GetValue(others) ?? []).Select(Read).ToList();
            await PackageSetup.EnsureForKernelAsync(context, architecture: null);
            IReadOnlyList<(string Name, KernelConfiguration Configuration)> kernels;
            await using (var display = ProgressDisplays.Open(context))
                kernels = await context.Host.Images.KernelsAsync(new BuildSteps(display), cancellation);
            await context.Host.Out.WriteAsync(KernelMatrix.Markdown([.. kernels, .. given]));
            return ExitCodes.Success;
        }));
        return command;
    }

    private static (string Name, KernelConfiguration Configuration) Read(string other)
    {
        if (other.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } file])
            throw new FaultException(UsageFaults.Make($"'{ValueFaults.Printable(other)}' is not of the form NAME=FILE.", "Write such as: gateway kernel compare mine=/boot/config-6.1"));
        if (!File.Exists(file))
            throw new FaultException(UsageFaults.Make($"There is no file {ValueFaults.Printable(file)}.", "Give the path of a kernel's configuration, or of a kernel."));
        return EmbeddedConfiguration.OfFile(file) is { } configuration
            ? (name, configuration)
            : throw new FaultException(UsageFaults.Make($"{ValueFaults.Printable(file)} does not tell its configuration (CONFIG_IKCONFIG).", "Give the configuration that it was built with instead."));
    }
}
