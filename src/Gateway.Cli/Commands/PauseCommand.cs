using System.CommandLine;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway pause</c> and <c>gateway unpause</c></summary>
internal static class PauseCommand
{
    public static Command Create(CommandContext context) => Create(
        context, "pause", "Hold a running instance: it takes no processor time, and keeps its memory. Connections to it wait.", "is paused", (instances, name, cancellation) => instances.PauseAsync(name, cancellation));

    public static Command CreateUnpause(CommandContext context) => Create(
        context, "unpause", "Let a paused instance go on.", "goes on", (instances, name, cancellation) => instances.UnpauseAsync(name, cancellation));

    private static Command Create(CommandContext context, string verb, string description, string done, Func<IInstances, string, CancellationToken, Task> action)
    {
        var name = new NameOption();
        var command = new Command(verb, description) { name };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            await action(context.Host.Instances, status.Name, cancellation);
            if (!context.Quiet)
                await context.Host.Error.WriteLineAsync($"'{status.Name}' {done}.");
            return ExitCodes.Success;
        }));
        return command;
    }
}
