using System.CommandLine;
using OpenShell.Vm.Planning;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary>The process in which KVM is timed, since a guest under a broken KVM can only be ended with its process.</summary>
internal static class KvmProbeCommand
{
    public static Command Create(CommandContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var command = new Command(HiddenCommands.KvmProbe);
        command.Hidden = true;
        command.SetAction(_ => KvmProbe.RunInThisProcess());
        return command;
    }
}
