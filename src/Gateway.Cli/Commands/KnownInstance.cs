using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary>Finds the instance that a command is about.</summary>
internal static class KnownInstance
{
    /// <summary>The option that names it, for a command to type; empty where none is needed.</summary>
    public static string Named(string name) => name == InstanceName.Default ? "" : $" --name {name}";

    /// <summary>Its status.</summary>
    /// <exception cref="FaultException">There is no such instance; names those that there are.</exception>
    public static async Task<InstanceStatus> FindAsync(CommandContext context, string name)
    {
        if (await context.Host.Instances.FindAsync(name) is { } status)
            return status;
        var known = (await context.Host.Instances.ListAsync()).Select(i => i.Name).ToList();
        throw new FaultException(new Fault
        {
            Code = "instance.unknown",
            What = $"There is no instance '{name}'.",
            Remedy = known.Count == 0
                ? $"Start it with 'gateway up{Named(name)}'."
                : $"Name one of these with --name: {string.Join(", ", known)}.",
        });
    }
}
