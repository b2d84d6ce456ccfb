using System.CommandLine;
using OpenShell.Vm.Hypervisors.Krun;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary>The process that becomes a libkrun machine; the supervisor starts it as it would QEMU.</summary>
internal static class VmmCommand
{
    public static Command Create(CommandContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var plan = new Argument<string>("plan");
        var command = new Command(HiddenCommands.Vmm) { plan };
        command.Hidden = true;
        command.SetAction(parse => KrunProcess.Run(parse.GetRequiredValue(plan)));
        return command;
    }
}
