using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;

namespace OpenShell.Gateway.Cli.Commands.Service;

/// <summary><c>gateway service status</c></summary>
internal static class ServiceStatusCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var output = new OutputOption();
        var command = new Command("status", "Say whether an instance is started at login, and by what.") { name, output };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var instance = name.Of(parse);
            var services = ServiceCommand.ServicesOf(context);
            var state = services.StateOf(instance);
            var active = state.Installed ? await ServiceManager.ActiveAsync(services.NameOf(instance)) : null;
            if (json)
            {
                CliJson.Write(context.Host.Out, new ServiceView(instance, services.NameOf(instance), state is { Installed: true, Foreign: false }, state.Enabled, active, services.PathsOf(instance)));
                return ExitCodes.Success;
            }

            await context.Host.Out.WriteLineAsync(state switch
            {
                { Foreign: true } => $"{services.FileOf(instance)} is there, but was not written by this program.",
                { Installed: false } => $"'{instance}' is not started at login; 'gateway service install{KnownInstance.Named(instance)}' changes that.",
                { Enabled: false } => $"{services.NameOf(instance)} is installed, but switched off: 'gateway service install{KnownInstance.Named(instance)}' switches it on.",
                _ => $"'{instance}' is started at login by {services.FileOf(instance)}{(active is null ? "" : $" (now: {active})")}.",
            });
            return ExitCodes.Success;
        });
        return command;
    }
}
