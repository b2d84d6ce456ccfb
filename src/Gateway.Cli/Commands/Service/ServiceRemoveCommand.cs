using System.CommandLine;
using OpenShell.Gateway.Cli.Options;

namespace OpenShell.Gateway.Cli.Commands.Service;

/// <summary><c>gateway service remove</c></summary>
internal static class ServiceRemoveCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var command = new Command("remove", "No longer start an instance at login. One that runs goes on.") { name };
        command.SetAction(async parse =>
        {
            // Also of an instance that is gone: its service may have been left.
            var instance = name.Of(parse);
            var removed = ServiceCommand.ServicesOf(context).Remove(instance);
            if (removed.Count > 0)
                await ServiceManager.ReloadAsync();
            if (context.Quiet)
                return ExitCodes.Success;
            await context.Host.Out.WriteLineAsync(removed.Count == 0 ? $"'{instance}' is not started at login; there was nothing to remove." : $"'{instance}' is no longer started at login. Removed:");
            foreach (var path in removed)
                await context.Host.Out.WriteLineAsync($"  {path}");
            return ExitCodes.Success;
        });
        return command;
    }
}
