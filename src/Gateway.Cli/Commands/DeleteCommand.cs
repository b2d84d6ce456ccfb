using System.CommandLine;
using OpenShell.Gateway.Cli.Options;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway delete</c></summary>
internal static class DeleteCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var command = new Command("delete", "Delete a stopped instance and everything that was written for it: disk, logs, kubeconfig, certificates.") { name };
        command.SetAction(async parse =>
        {
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            await context.Host.Instances.DeleteAsync(status.Name);
            if (!context.Quiet)
                await context.Host.Error.WriteLineAsync($"'{status.Name}' is deleted.");
            return ExitCodes.Success;
        });
        return command;
    }
}
