using System.CommandLine;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Timeline;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway timeline</c>: every event of the last start.</summary>
internal static class TimelineCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var output = new OutputOption();
        var command = new Command("timeline", "Print what happened when in an instance's last start.") { name, output };
        command.SetAction(async parse =>
        {
            var json = output.IsJson(parse);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var events = TimelineFile.Read(InstanceFiles.For(context.Host.Directories, InstanceName.Parse(status.Name)).Timeline);
            if (json)
                CliJson.Write(context.Host.Out, new TimelineView(status.Name, [.. events.Select(TimelineEventView.Of)]));
            else
                Write(context.Host.Out, context.Verbose ? events : [.. events.Where(e => e.Progress is null)]);
            return ExitCodes.Success;
        });
        return command;
    }

    private static void Write(TextWriter writer, IReadOnlyList<TimelineEvent> events)
    {
        var table = new TextTable("AT", "STAGE", "STATE", "GUEST UPTIME", "DETAIL");
        foreach (var e in events)
        {
            table.Add(
                Units.Time(e.Elapsed),
                e.Stage,
                e.Progress is { } share ? Units.Share(share) : StageText.State(e.State),
                e.GuestUptime is { } uptime ? Units.Time(uptime) : null,
                e.Detail);
        }

        table.Write(writer);
    }
}
