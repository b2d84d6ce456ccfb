using System.CommandLine;
using OpenShell.Gateway.Cli.Doctor;
using OpenShell.Gateway.Cli.Json;
using OpenShell.Gateway.Cli.Options;

namespace OpenShell.Gateway.Cli.Commands;

/// <summary><c>gateway doctor</c>: whether this host has what it takes, and what to do where it has not.</summary>
internal static class DoctorCommand
{
    public static Command Create(CommandContext context)
    {
        var fix = new Option<bool>("--fix") { Description = "Also do what is safe: install packages (as root), remove what killed processes left, set modes right. Each is shown before it is done; nothing of a running instance is touched." };
        var output = new OutputOption();
        var command = new Command("doctor", "Check whether this machine has what it takes, and say what to do where it has not. Fails if 'gateway up' could not work. Changes nothing without --fix.") { fix, output };
        command.SetAction(async (parse, cancellation) =>
        {
            var json = output.IsJson(parse);
            var results = await HostChecks.RunAllAsync(context, cancellation);
            IReadOnlyList<RepairView>? repairs = null;
            if (parse.GetValue(fix))
            {
                repairs = await new DoctorFix(context, json ? context.Host.Error : context.Host.Out).RunAsync(results, cancellation);

                // What is said in the end is how it is now.
                if (repairs.Count > 0)
                    results = await HostChecks.RunAllAsync(context, cancellation);
            }

            var ok = results.All(r => r.State != CheckState.Failed);
            if (json)
                CliJson.Write(context.Host.Out, new DoctorView(ok, results, repairs));
            else
                Write(context.Host.Out, results, repairs);
            return ok ? ExitCodes.Success : ExitCodes.Failure;
        });
        return command;
    }

    private static void Write(TextWriter writer, IReadOnlyList<CheckResult> results, IReadOnlyList<RepairView>? repairs)
    {
        if (repairs is { Count: > 0 })
            writer.WriteLine();
        DoctorText.Write(writer, results);
        if (repairs is { Count: 0 })
        {
            writer.WriteLine();
            writer.WriteLine("There was nothing that --fix could do.");
        }
    }
}
