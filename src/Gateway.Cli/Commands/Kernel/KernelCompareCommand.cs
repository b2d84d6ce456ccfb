using System.CommandLine;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Kernels;

namespace OpenShell.Gateway.Cli.Commands.Kernel;

/// <summary><c>gateway kernel compare</c>: the table of docs/kernel.md, from the kernels' configurations or symbols; starts no machine.</summary>
internal static class KernelCompareCommand
{
    public static Command Create(CommandContext context)
    {
        var others = new Argument<string[]>("others")
        {
            Description = "Further kernels: a name for each, and its configuration, or an uncompressed kernel or a libkrunfw, which is judged by its symbols if it holds none.",
            Arity = ArgumentArity.ZeroOrMore,
            HelpName = "NAME=FILE",
        };
        var command = new Command("compare", "Compare Debian's kernel, ours, the one in Debian's libkrunfw, and others. Builds or fetches what is missing.") { others };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var words = parse.GetValue(others) ?? [];
            if (words.Select(w => w.Split('=')[0]).GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice)
                throw new FaultException(UsageFaults.Make($"The name '{ValueFaults.Printable(twice.Key)}' is given twice.", "Give each kernel a name of its own."));
            var given = words.Select(Read).ToList();
            await PackageSetup.EnsureForKernelAsync(context, architecture: null);
            var kernels = new List<KernelColumn>();
            string? without = null;
            await using (var display = ProgressDisplays.Open(context))
            {
                var steps = new BuildSteps(display);
                kernels.AddRange(await context.Host.Images.KernelsAsync(steps, cancellation));
                try
                {
                    kernels.Add(await context.Host.Images.StockKernelAsync(steps, cancellation));
                }
                catch (FaultException e)
                {
                    // Unstable is not on every mirror, and no machine needs it.
                    without = $"Debian's libkrunfw is left out: {e.Faults[0].What}";
                }
            }

            if (without is not null)
                await context.Host.Error.WriteLineAsync(without);
            await context.Host.Out.WriteAsync(KernelMatrix.Markdown([.. kernels, .. given]));
            return ExitCodes.Success;
        }));
        return command;
    }

    private static KernelColumn Read(string other)
    {
        if (other.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } file])
            throw new FaultException(UsageFaults.Make($"'{ValueFaults.Printable(other)}' is not of the form NAME=FILE.", "Write such as: gateway kernel compare mine=/boot/config-6.1"));
        if (!File.Exists(file) && !Directory.Exists(file))
            throw new FaultException(UsageFaults.Make($"There is no file {ValueFaults.Printable(file)}.", "Give the path of a kernel's configuration, or of a kernel."));
        try
        {
            return KernelColumn.OfFile(name, file);
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new FaultException(
                UsageFaults.Make($"{ValueFaults.Printable(file)} tells neither its configuration (CONFIG_IKCONFIG) nor its symbols: {e.Message}.", "Give the configuration that it was built with instead, or the kernel uncompressed."),
                e);
        }
    }
}
