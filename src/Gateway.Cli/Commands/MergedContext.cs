using OpenShell.Vm.Bootstrap;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary>An instance's context in the user's own kubeconfig.</summary>
internal static class MergedContext
{
    /// <summary>The user's own kubeconfig, as kubectl finds it.</summary>
    public static UserKubeconfig Of(CommandContext context) => UserKubeconfig.For(context.Host.Directories, context.Host.Variable("KUBECONFIG"));

    /// <summary>Takes it out along with what it leads to. That a file of the user's cannot be changed is said, and keeps nothing else from being done.</summary>
    public static async Task TakeOutAsync(CommandContext context, string instance)
    {
        try
        {
            foreach (var file in Of(context).Unmerge(instance))
                await SayAsync(context, $"Its context is taken out of {file}.");
        }
        catch (FaultException e)
        {
            await SayAsync(context, $"note: whether its context is in your own kubeconfig is not known: {e.Faults[0].What}");
        }
    }

    private static Task SayAsync(CommandContext context, string line) => context.Quiet ? Task.CompletedTask : context.Host.Error.WriteLineAsync(line);
}
