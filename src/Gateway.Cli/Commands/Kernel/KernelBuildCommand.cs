using System.CommandLine;
using System.Diagnostics;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Rendering.Progress;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Gateway.Cli.Setup;
using OpenShell.Vm.Images;

namespace OpenShell.Gateway.Cli.Commands.Kernel;

/// <summary><c>gateway kernel build</c>: compiles Debian's kernel source with this project's configuration, or finds what was compiled.</summary>
internal static class KernelBuildCommand
{
    public static Command Create(CommandContext context)
    {
        var architecture = new ArchitectureOption("The processor: amd64 or arm64 (this machine's).");
        var refresh = new Option<bool>("--refresh") { Description = "Ask the mirror for newer sources instead of using the version resolved before." };
        var output = new OutputOption();
        var command = new Command("build", "Build the kernel, for QEMU and as libkrun's library. It takes some 20 minutes on two processors; an interrupted build goes on.") { architecture, refresh, output };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var json = output.IsJson(parse);
            var target = architecture.Of(parse);
            await PackageSetup.EnsureForKernelAsync(context, target);
            var began = Stopwatch.GetTimestamp();
            KernelImage kernel;
            await using (var display = ProgressDisplays.Open(context))
                kernel = await context.Host.Images.EnsureKernelAsync(target, parse.GetValue(refresh), new BuildSteps(display), cancellation);
            var took = Stopwatch.GetElapsedTime(began);
            if (json)
                CliJson.Write(context.Host.Out, new KernelView(kernel.Version, kernel.Key, kernel.Kernel, kernel.Configuration, kernel.Firmware, kernel.Provenance, Units.Seconds(took)));
            else if (!context.Quiet)
                await context.Host.Out.WriteLineAsync($"Linux {kernel.Version} is ready after {Units.Time(took)}:\n  {kernel.Kernel}\n  {kernel.Firmware}");
            return ExitCodes.Success;
        }));
        return command;
    }
}
