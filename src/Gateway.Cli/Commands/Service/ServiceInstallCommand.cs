using System.CommandLine;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Vm.LoginServices;

namespace OpenShell.Gateway.Cli.Commands.Service;

/// <summary><c>gateway service install</c></summary>
internal static class ServiceInstallCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var command = new Command("install", "Have an instance started at your next login, as it is configured, and shut down in order at logout.") { name };
        command.SetAction(async parse =>
        {
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var services = ServiceCommand.ServicesOf(context);
            services.Install(new ServiceDescription
            {
                Instance = status.Name,
                Command = [.. context.Host.LastingSelf, HiddenCommands.Supervise, status.Name],
                Environment = ServiceDescription.EnvironmentOf(context.Host.Variable),
                Folder = ServiceCommand.FolderOf(context, status.Name),
            });
            var told = await ServiceManager.ReloadAsync();
            if (!context.Quiet)
                await WriteAsync(context, services, status.Name, told);
            return ExitCodes.Success;
        });
        return command;
    }

    private static async Task WriteAsync(CommandContext context, LoginService services, string instance, bool told)
    {
        var writer = context.Host.Out;
        await writer.WriteLineAsync($"'{instance}' is started at your next login. Made for that:");
        foreach (var path in services.PathsOf(instance))
            await writer.WriteLineAsync($"  {path}");
        if (OperatingSystem.IsMacOS())
        {
            await writer.WriteLineAsync($"Now: launchctl bootstrap gui/$(id -u) '{services.FileOf(instance)}'");
            return;
        }

        await writer.WriteLineAsync(told
            ? $"Now: systemctl --user start {services.NameOf(instance)}"
            : "There is no user manager of systemd to tell now; it reads this at your next login.");
        await writer.WriteLineAsync("From the machine's start on, without a login, only if you allow it: loginctl enable-linger");
    }
}
