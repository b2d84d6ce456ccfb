using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Gateway.Cli.Running;

namespace OpenShell.Gateway.Cli.Commands.Disk;

/// <summary><c>gateway disk compact</c></summary>
internal static class DiskCompactCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var output = new OutputOption();
        var command = new Command("compact", "Give back to this machine what an instance's disk does not use: by a trim in the guest while it runs, by writing the disk anew while it does not.") { name, output };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var json = output.IsJson(parse);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var before = (await context.Host.Instances.DiskAsync(status.Name, cancellation))?.Allocated ?? 0;
            var after = await context.Host.Instances.CompactAsync(status.Name, cancellation);
            if (json)
                CliJson.Write<IReadOnlyList<DiskView>>(context.Host.Out, [DiskCommand.Of(status.Name, after)]);
            else if (!context.Quiet)
                await context.Host.Out.WriteLineAsync($"The disk of '{status.Name}' takes {Units.Size(after.Allocated)}; it was {Units.Size(before)}.");
            return ExitCodes.Success;
        }));
        return command;
    }
}
