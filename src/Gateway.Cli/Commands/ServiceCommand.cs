using System.CommandLine;
using OpenShell.Gateway.Cli.Commands.Service;
using OpenShell.Vm.LoginServices;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway service</c>: start at login.</summary>
internal static class ServiceCommand
{
    public static Command Create(CommandContext context) => new("service", "Start an instance when you log in: a unit of systemd's user manager, or a launch agent of macOS.")
    {
        ServiceInstallCommand.Create(context),
        ServiceRemoveCommand.Create(context),
        ServiceStatusCommand.Create(context),
    };

    /// <summary>The services of this user.</summary>
    public static LoginService ServicesOf(CommandContext context)
    {
        var home = context.Host.Variable("HOME") is { Length: > 0 } set ? set : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var config = context.Host.Variable("XDG_CONFIG_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg) ? xdg : Path.Combine(home, ".config");
        return new LoginService(home, config, OperatingSystem.IsMacOS());
    }

    /// <summary>The folder by which a service is told to be of an instance.</summary>
    public static string FolderOf(CommandContext context, string instance) => Path.Combine(context.Host.Directories.Data, "instances", instance);
}
