using System.CommandLine;
using OpenShell.Gateway.Cli.Doctor;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;
using OpenShell.Gateway.Cli.Rendering;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway doctor</c>: whether this host has what it takes, and what to do where it has not.</summary>
internal static class DoctorCommand
{
    public static Command Create(CommandContext context)
    {
        var output = new OutputOption();
        var command = new Command("doctor", "Check whether this machine has what it takes. Changes nothing.") { output };
        command.SetAction(async (parse, cancellation) =>
        {
            var json = output.IsJson(parse);
            var results = new List<CheckResult>();
            foreach (var check in HostChecks.All)
                results.AddRange(await HostChecks.RunAsync(check, context, cancellation));
            var ok = results.All(r => r.State != CheckState.Failed);
            if (json)
                CliJson.Write(context.Host.Out, new DoctorView(ok, results));
            else
                Write(context.Host.Out, results);
            return ok ? ExitCodes.Success : ExitCodes.Failure;
        });
        return command;
    }

    private static void Write(TextWriter writer, IReadOnlyList<CheckResult> results)
    {
        var table = new TextTable("CHECK", "STATE", "FINDING");
        foreach (var result in results)
            table.Add(result.Name, CliJson.Word(result.State), result.Finding);
        table.Write(writer);
        foreach (var result in results.Where(r => r.Remedy is not null))
        {
            writer.WriteLine();
            writer.WriteLine($"{result.Name}: {result.Remedy}");
        }
    }
}
