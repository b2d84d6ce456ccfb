using System.CommandLine;
using System.Diagnostics;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway suspend</c></summary>
internal static class SuspendCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var command = new Command("suspend", "Save an instance with its memory and end it; 'gateway up' goes on from there, in a moment.") { name };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var was = status.Phase == InstancePhase.Suspended;
            var began = Stopwatch.GetTimestamp();
            await context.Host.Instances.SuspendAsync(status.Name, cancellation);
            if (!context.Quiet)
                await context.Host.Error.WriteLineAsync(was ? $"'{status.Name}' is suspended already." : $"'{status.Name}' is suspended after {Units.Time(Stopwatch.GetElapsedTime(began))}; 'gateway up' goes on from there.");
            return ExitCodes.Success;
        }));
        return command;
    }
}
