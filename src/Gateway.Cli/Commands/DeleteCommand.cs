using System.CommandLine;
using OpenShell.Gateway.Cli.Commands.Service;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Running;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway delete</c></summary>
internal static class DeleteCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var flatten = new Option<bool>("--flatten") { Description = "Make the clones that stand on its disk independent first." };
        var command = new Command("delete", "Delete a stopped instance and everything that was written for it: disk, logs, kubeconfig, certificates, its context in your own kubeconfig, its service at login.") { name, flatten };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            await context.Host.Instances.DeleteAsync(status.Name, parse.GetValue(flatten), cancellation);
            await MergedContext.TakeOutAsync(context, status.Name);
            await ServiceOfInstance.TakeOutAsync(context, status.Name);
            if (!context.Quiet)
                await context.Host.Error.WriteLineAsync($"'{status.Name}' is deleted.");
            return ExitCodes.Success;
        }));
        return command;
    }
}
