using System.CommandLine;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Options.Values;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Faults;

namespace OpenShell.Gateway.Cli.Commands.Disk;

/// <summary><c>gateway disk resize</c></summary>
internal static class DiskResizeCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var size = new Argument<string>("SIZE") { Description = "The new limit in GiB, such as 40 or 40g." };
        var command = new Command("resize", "Make an instance's disk larger; it takes space only as it is used. The guest follows at its next start. It never becomes smaller.") { name, size };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var faults = new List<Fault>();
            var gib = GibibytesParser.Parse("SIZE", parse.GetRequiredValue(size), faults);
            if (faults.Count > 0)
                throw new FaultException(faults);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var grown = await context.Host.Instances.ResizeDiskAsync(status.Name, gib!.Value, cancellation);
            if (!context.Quiet)
            {
                await context.Host.Error.WriteLineAsync(grown
                    ? $"The disk of '{status.Name}' has {gib} GiB; the guest uses them from its next start."
                    : $"The disk of '{status.Name}' will have {gib} GiB at its next start.");
            }

            return ExitCodes.Success;
        }));
        return command;
    }
}
