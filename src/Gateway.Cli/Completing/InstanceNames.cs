using System.CommandLine.Completions;
using OpenShell.Vm.Faults;
using OpenShell.Vm.Instances;

namespace OpenShell.Gateway.Cli.Completing;

/// <summary>The instances that there are, for a shell that completes a line: only their names are looked at, and nothing that is wrong is said.</summary>
internal static class InstanceNames
{
    /// <summary>For <c>CompletionSources</c>.</summary>
    public static IEnumerable<CompletionItem> All(CompletionContext context) => Names().Select(name => new CompletionItem(name));

    /// <summary>As the beginning of a path in a guest.</summary>
    public static IEnumerable<CompletionItem> BeforePath(CompletionContext context) => Names().Select(name => new CompletionItem(name + ":"));

    private static IReadOnlyList<string> Names()
    {
        try
        {
            return new InstanceStore(HostDirectories.FromEnvironment()).Names();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FaultException)
        {
            return [];
        }
    }
}
