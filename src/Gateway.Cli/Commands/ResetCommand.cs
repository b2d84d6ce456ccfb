using System.CommandLine;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Running;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway reset</c></summary>
internal static class ResetCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var command = new Command("reset", "Throw away all that a stopped instance has on its disk; its configuration stays. The next start begins anew.") { name };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            await context.Host.Instances.ResetAsync(status.Name, cancellation);

            // Its certificates were the old cluster's.
            await MergedContext.TakeOutAsync(context, status.Name);
            if (!context.Quiet)
                await context.Host.Error.WriteLineAsync($"'{status.Name}' is empty; 'gateway up{KnownInstance.Named(status.Name)}' begins anew.");
            return ExitCodes.Success;
        }));
        return command;
    }
}
