using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands.Service;

/// <summary>The service at login of an instance that is deleted.</summary>
internal static class ServiceOfInstance
{
    /// <summary>Removes it along, and says so; one of that name that is not the instance's stays. That a file cannot be changed is said, and keeps nothing else from being done.</summary>
    public static async Task TakeOutAsync(CommandContext context, string instance)
    {
        try
        {
            var services = ServiceCommand.ServicesOf(context);
            if (!services.IsOf(instance, ServiceCommand.FolderOf(context, instance)))
                return;
            services.Remove(instance);
            await ServiceManager.ReloadAsync();
            await SayAsync(context, $"It is no longer started at login: {services.FileOf(instance)} is removed.");
        }
        catch (Exception e) when (e is FaultException or IOException or UnauthorizedAccessException)
        {
            await SayAsync(context, $"note: whether it is still started at login is not known: {(e is FaultException known ? known.Faults[0].What : e.Message)}");
        }
    }

    private static Task SayAsync(CommandContext context, string line) => context.Quiet ? Task.CompletedTask : context.Host.Error.WriteLineAsync(line);
}
