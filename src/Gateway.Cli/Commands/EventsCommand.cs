using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Running;
using OpenShell.Vm.Events;
using OpenShell.Vm.Instances;
using OpenShell.Vm.Logs;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway events</c>: what happened to an instance, over all its runs.</summary>
internal static class EventsCommand
{
    public static Command Create(CommandContext context)
    {
        var name = new NameOption();
        var output = new OutputOption { Description = "'text' for people, 'json' for programs: one object to a line." };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on as more happens, until Ctrl-C." };
        var command = new Command("events", "Print what happened to an instance: starts, ends, services that ended, forwards, failures.") { name, output, follow };
        command.SetAction(parse => Interrupts.GuardAsync(async cancellation =>
        {
            var json = output.IsJson(parse);
            var status = await KnownInstance.FindAsync(context, name.Of(parse));
            var log = new RotatedLog(InstanceFiles.For(context.Host.Directories, InstanceName.Parse(status.Name)).Events);

            // Nothing has happened yet; with --follow it may.
            while (!log.Exists && parse.GetValue(follow))
                await Task.Delay(200, cancellation);
            if (!log.Exists)
                return ExitCodes.Success;
            await using var lines = new LineStream(line => Print(context, line.Span, json));
            await log.CopyAsync(lines, parse.GetValue(follow), cancellation);
            return ExitCodes.Success;
        }));
        return command;
    }

    private static void Print(CommandContext context, ReadOnlySpan<byte> line, bool json)
    {
        InstanceEvent? happened;
        try
        {
            happened = JsonSerializer.Deserialize(line, EventJson.Default.InstanceEvent);
        }
        catch (JsonException)
        {
            // A line that a power loss cut in two.
            return;
        }

        if (happened is null)
            return;
        context.Host.Out.WriteLine(json ? JsonSerializer.Serialize(happened, EventJson.Default.InstanceEvent) : Text(happened));
    }

    private static string Text(InstanceEvent e)
    {
        var text = $"{e.At.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}   {Json.CliJson.Word(e.Severity),-7}   {e.Event,-20}   {e.Message}";
        return string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
    }
}
